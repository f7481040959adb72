// neuwerkctl sysdump, debug: what support asks for.
#include "nouns.h"

#include "base/text.h"

#include <ctime>

namespace neuwerk::cli {

namespace {

constexpr auto collection_patience = std::chrono::minutes(2);

std::string default_path(std::int64_t now_s)
{
	const std::time_t now = now_s;
	std::tm utc{};
	gmtime_r(&now, &utc);
	char stamp[32];
	std::strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
	return text("/tmp/neuwerk-sysdump-", stamp, ".tar.gz");
}

// Under its name only when it is whole.
Result<> write_archive(Files &files, const std::string &path, std::string_view archive)
{
	if (const auto slash = path.rfind('/'); slash != std::string::npos && slash > 0)
		if (const auto made = make_directories(path.substr(0, slash)); !made)
			return made;
	const std::string part = path + ".part";
	if (const auto written = files.write_synced(part, archive); !written)
		return written;
	return files.rename(part, path);
}

Result<> dump(const Session &session)
{
	session.note("collecting; this takes some seconds");
	const auto answer = session.client().send({.method = "POST",
						   .path = "/api/v1/support/sysdump/node",
						   .headers = {{"x-neuwerk-cluster-sysdump-fanout", "1"}},
						   .patience = collection_patience});
	if (!answer)
		return tl::unexpected(answer.error());
	const std::string &archive = answer->response.body;
	if (!archive.starts_with("\x1f\x8b")) // RFC 1952 §2.3.1
		return fail(ErrorKind::internal, "sysdump: the answer is no gzip archive");
	std::string path = session.words.get("--output");
	if (path.empty())
		path = default_path(session.world.now_s());
	if (const auto written = write_archive(*session.world.files, path, archive); !written)
		return written;
	session.done(path, Json::object({{"path", path}, {"bytes", std::uint64_t{archive.size()}}}));
	return {};
}

} // namespace

std::vector<Command> sysdump_commands()
{
	return {
		{.words = "sysdump",
		 .help = "an archive for support, secrets redacted; prints its path",
		 .options = {{.name = "--output",
			      .value = "PATH",
			      .help = "default /tmp/neuwerk-sysdump-<time>.tar.gz",
			      .is_file = true}},
		 .run = [](Session &session) { return dump(session); }},
		{.words = "debug limits",
		 .help = "the bounds of the API, of records and of identities",
		 .run =
			 [](Session &session) {
				 return session.show("/api/v1/limits", as_list(session.style,
									       {{"NAME", "name"},
										{"VALUE", "value"},
										{"UNIT", "unit"},
										{"WHAT", "what"}},
									       "no limits"));
			 }},
	};
}

} // namespace neuwerk::cli
