// Reading files, running commands, asking: every failure becomes a line of the manifest.
#include "daemon/sysdump_collector.h"

#include "base/text.h"
#include "daemon/redaction.h"
#include "identity/identity.h"

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace neuwerk::daemon {

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

struct Content {
	bool is_there = false;
	bool is_cut = false;
	std::string bytes;
};

// /proc says 0 for every size, so read until there is no more.
Content read_at_most(const std::string &path, std::size_t limit_bytes)
{
	std::ifstream stream(path, std::ios::binary);
	if (!stream)
		return {};
	Content content{.is_there = true, .is_cut = false, .bytes = std::string(limit_bytes + 1, '\0')};
	stream.read(content.bytes.data(), static_cast<std::streamsize>(content.bytes.size()));
	content.bytes.resize(static_cast<std::size_t>(stream.gcount()));
	content.is_cut = content.bytes.size() > limit_bytes;
	if (content.is_cut)
		content.bytes.resize(limit_bytes);
	return content;
}

std::string archive_path_of(std::string_view path)
{
	path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
	return std::string(path);
}

} // namespace

void SysdumpCollector::add(Line line, std::string content)
{
	if (bytes_ + content.size() > dump_limit_bytes) {
		line.status = "error";
		line.note = "the archive is full";
	} else {
		bytes_ += content.size();
		entries_.push_back({line.archive_path, std::move(content)});
	}
	manifest_.push_back(std::move(line));
}

void SysdumpCollector::file(const std::string &path)
{
	Line line{"path", path, archive_path_of(path), "ok", ""};
	if (is_secret_file(path)) {
		line.note = "redacted";
		return add(std::move(line),
			   text("redacted secret file: ", fs::path(path).filename().string(), '\n'));
	}
	const Content content = read_at_most(parts_.root + path, dump_file_limit_bytes);
	if (!content.is_there || content.bytes.find('\0') != content.bytes.npos) {
		line.status = content.is_there ? "manifest-only" : "missing";
		line.note = content.is_there ? "binary" : "";
		manifest_.push_back(std::move(line));
		return;
	}
	if (content.is_cut)
		line.note = text("cut after ", dump_file_limit_bytes, " bytes");
	add(std::move(line), scrubbed(content.bytes));
}

void SysdumpCollector::tree(const std::string &directory)
{
	std::error_code error;
	fs::recursive_directory_iterator walk(parts_.root + directory,
					      fs::directory_options::skip_permission_denied, error);
	if (error) {
		manifest_.push_back(
			{"path", directory, archive_path_of(directory), "missing", error.message()});
		return;
	}
	std::vector<std::string> paths;
	for (; walk != fs::recursive_directory_iterator() && paths.size() < dump_file_limit_count;
	     walk.increment(error)) {
		if (error)
			break;
		if (!walk->is_directory(error) || walk->is_symlink(error))
			paths.push_back(walk->path().string().substr(parts_.root.size()));
	}
	if (error || paths.size() == dump_file_limit_count)
		manifest_.push_back(
			{"path", directory, archive_path_of(directory), "error",
			 error ? error.message() : text("only the first ", dump_file_limit_count, " files")});
	std::ranges::sort(paths);
	for (const std::string &path : paths)
		tree_entry(path);
}

void SysdumpCollector::tree_entry(const std::string &path)
{
	std::error_code error;
	const fs::file_status status = fs::symlink_status(parts_.root + path, error);
	if (fs::is_symlink(status)) {
		const fs::path target = fs::read_symlink(parts_.root + path, error);
		return add({"path", path, archive_path_of(path) + ".symlink.txt", "symlink", ""},
			   target.string() + "\n");
	}
	if (fs::is_regular_file(status))
		return file(path);
	// A socket or a pipe: to open it would do something.
	manifest_.push_back({"path", path, archive_path_of(path), "manifest-only", "no regular file"});
}

void SysdumpCollector::command(const std::string &archive_path, const std::vector<std::string> &words)
{
	std::string line_of_words;
	for (const std::string &word : words)
		line_of_words += (line_of_words.empty() ? "" : " ") + word;
	const CommandOutput output = parts_.run(words);
	std::string content = text("$ ", line_of_words, "\n");
	Line line{"command", line_of_words, archive_path, "ok", ""};
	if (!output.started) {
		line.status = "missing";
		line.note = output.error;
		content += text("not started: ", output.error, "\n");
	} else {
		if (output.timed_out)
			line.note = "killed: it took too long";
		else if (output.exit_status != 0)
			line.note = text("exit status ", output.exit_status);
		line.status = line.note.empty() ? "ok" : "error";
		content += text("exit status: ", output.exit_status, output.timed_out ? " (killed)" : "",
				"\n\n", scrubbed(output.output));
	}
	add(std::move(line), std::move(content));
}

void SysdumpCollector::answer(const SysdumpParts::Answer &answer)
{
	auto said = answer.ask();
	Line line{"http", answer.archive_path, answer.archive_path, "ok", ""};
	if (!said) {
		line.status = "request-failed";
		line.note = scrubbed(said.error().what);
		manifest_.push_back(std::move(line));
		return;
	}
	add(std::move(line), scrubbed(*said));
}

void SysdumpCollector::summary(std::string_view name, std::string content)
{
	std::string path = text("summary/", name);
	add({"summary", path, path, "ok", ""}, std::move(content));
}

Result<std::string> SysdumpCollector::finish()
{
	json::array lines;
	for (const Line &line : manifest_) {
		json::object entry{{"kind", line.kind},
				   {"source", line.source},
				   {"archive_path", line.archive_path},
				   {"status", line.status}};
		if (!line.note.empty())
			entry["note"] = line.note;
		lines.push_back(std::move(entry));
	}
	entries_.push_back(
		{"summary/manifest.json",
		 json::serialize(json::object{{"generated_at", identity::format_time(parts_.now_ms)},
					      {"entries", std::move(lines)}})});
	return tar_gz(entries_, parts_.now_ms / 1000);
}

} // namespace neuwerk::daemon
