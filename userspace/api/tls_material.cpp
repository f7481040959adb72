// Certificates of the HTTPS listener: found, imported or made (spec/http-api §1.2).
//
// The CA lies in the Store, its key sealed; the directory holds what the listener and its clients read. Order
// of a first start: CA into the Store, ca.crt, node.key, node.crt; whatever a crash leaves of that, the next
// start completes.
#include "api/api.h"
#include "api/spelling.h"

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace neuwerk::api {

namespace {

constexpr const char *ca_certificate_key = "http/ca/cert";
constexpr const char *ca_envelope_key = "http/ca/envelope";
constexpr const char *own_actor = "neuwerkd";
constexpr const char *leaf_name = "neuwerk";
constexpr mode_t public_mode = 0644;
constexpr mode_t secret_mode = 0600;
constexpr std::int64_t day_s = 86'400;
// Nothing renews the leaf: it must outlive the appliance. The day before allows for clients whose clock is
// slow.
constexpr std::int64_t validity_s = 20 * 365 * day_s;
constexpr std::int64_t expiry_warning_s = 30 * day_s;

class TlsDirectory {
public:
	TlsDirectory(const TlsOptions &options, state::Store &store, const crypto::SealingKey &sealing)
	    : options_(options), store_(store), sealing_(sealing),
	      material_{path_or(options.certificate_path, "node.crt"), path_or(options.key_path, "node.key"),
			path_or(options.ca_path, "ca.crt")},
	      ca_key_path_(options.directory + "/ca.key")
	{
	}

	Result<TlsMaterial> prepare();

private:
	using MaybeCa = Result<std::optional<crypto::Issued>>;

	[[nodiscard]] std::string path_or(const std::string &configured, const char *name) const
	{
		return configured.empty() ? text(options_.directory, '/', name) : configured;
	}
	[[nodiscard]] crypto::Validity validity() const
	{
		return {options_.now_s - day_s, options_.now_s + validity_s};
	}

	Result<std::optional<std::string>> read(const std::string &path);
	Result<> write(const std::string &path, std::string_view content, mode_t mode);
	Result<> keep_leaf(const std::string &certificate);
	Result<> make_leaf();
	MaybeCa stored_ca();
	MaybeCa ca_of_files();
	Result<crypto::Issued> find_or_create_ca();
	Result<> store_ca(const crypto::Issued &ca);
	Result<> publish_ca(const std::string &certificate);

	const TlsOptions &options_;
	state::Store &store_;
	const crypto::SealingKey &sealing_;
	TlsMaterial material_;
	std::string ca_key_path_;
	SystemFiles files_;
};

// Without blanks and repetitions, in their order.
std::vector<std::string> distinct(const std::vector<std::string> &names)
{
	std::vector<std::string> out;
	for (const auto &written : names) {
		const std::string name(trimmed(written));
		const auto is_same = [&](const auto &other) { return lower(other) == lower(name); };
		if (!name.empty() && std::ranges::none_of(out, is_same))
			out.push_back(name);
	}
	return out;
}

Result<> set_mode(const std::string &path, mode_t mode)
{
	if (chmod(path.c_str(), mode) != 0)
		return tl::unexpected(system_error("chmod", path, errno));
	return {};
}

Result<std::optional<std::string>> TlsDirectory::read(const std::string &path)
{
	auto content = files_.read(path);
	if (content)
		return std::move(*content);
	if (content.error().kind == ErrorKind::not_found)
		return std::nullopt;
	return tl::unexpected(std::move(content.error()));
}

// Whole or not at all, and never readable by others in between.
Result<> TlsDirectory::write(const std::string &path, std::string_view content, mode_t mode)
{
	const std::string unfinished = path + ".new";
	const std::size_t slash = path.rfind('/');
	const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
	return files_.write_synced(unfinished, content)
		.and_then([&] { return set_mode(unfinished, mode); })
		.and_then([&] { return files_.rename(unfinished, path); })
		.and_then([&] { return files_.sync_directory(directory); });
}

TlsDirectory::MaybeCa TlsDirectory::stored_ca()
{
	const auto certificate = store_.get(ca_certificate_key);
	if (!certificate)
		return tl::unexpected(certificate.error());
	const auto envelope = store_.get(ca_envelope_key);
	if (!envelope)
		return tl::unexpected(envelope.error());
	if (!*certificate || !*envelope)
		return std::nullopt;
	const auto der = crypto::unseal(sealing_, (*envelope)->value);
	if (!der)
		return fail(der.error().kind,
			    text("http tls: record ", ca_envelope_key, ": ", der.error().what));
	auto key = crypto::key_pem_of_der(*der);
	if (!key)
		return fail(ErrorKind::corrupt,
			    text("http tls: record ", ca_envelope_key, ": ", key.error().what));
	return crypto::Issued{(*certificate)->value, std::move(*key)};
}

// ca.crt and ca.key, the latter raw DER as the reference writes it, or PEM.
TlsDirectory::MaybeCa TlsDirectory::ca_of_files()
{
	auto certificate = read(material_.ca_path);
	if (!certificate)
		return tl::unexpected(std::move(certificate.error()));
	auto key = read(ca_key_path_);
	if (!key)
		return tl::unexpected(std::move(key.error()));
	if (!*certificate && !*key)
		return std::nullopt;
	if (!*certificate || !*key)
		return fail(ErrorKind::invalid_argument,
			    text("http tls: ca cert/key mismatch: ", *key ? ca_key_path_ : material_.ca_path,
				 " is there without ", *key ? material_.ca_path : ca_key_path_,
				 ": put it back, or remove the other to start with a new CA"));
	auto pem = (*key)->starts_with("-----BEGIN") ? Result<std::string>(**key)
						     : crypto::key_pem_of_der(**key);
	if (!pem)
		return fail(pem.error().kind, text("http tls: ", ca_key_path_, ": ", pem.error().what));
	if (auto fits = crypto::check_ca_pair(**certificate, *pem); !fits)
		return fail(fits.error().kind, text("http tls: ca cert/key mismatch: ", material_.ca_path,
						    " and ", ca_key_path_, ": ", fits.error().what));
	return crypto::Issued{std::move(**certificate), std::move(*pem)};
}

Result<> TlsDirectory::store_ca(const crypto::Issued &ca)
{
	const auto der = crypto::key_der_of_pem(ca.key_pem);
	if (!der)
		return tl::unexpected(der.error());
	const auto written =
		store_.write({{state::require(ca_certificate_key, 0), state::require(ca_envelope_key, 0),
			       state::put(ca_certificate_key, ca.certificate_pem),
			       state::put(ca_envelope_key, crypto::seal(sealing_, *der))},
			      own_actor,
			      ""});
	if (!written)
		return tl::unexpected(written.error());
	return {};
}

Result<crypto::Issued> TlsDirectory::find_or_create_ca()
{
	auto ca = stored_ca();
	if (!ca)
		return tl::unexpected(std::move(ca.error()));
	if (*ca)
		return std::move(**ca);
	ca = ca_of_files();
	if (!ca)
		return tl::unexpected(std::move(ca.error()));
	if (*ca) {
		log::info(
			text("http tls: imported the CA of ", ca_key_path_, "; the file is not read again"));
	} else {
		// A name of its own: clients may trust the CAs of several appliances.
		const std::string name = text("Neuwerk API CA ", crypto::to_hex(crypto::random_bytes(4)));
		auto made = crypto::create_ca(name, validity());
		if (!made)
			return made;
		*ca = std::move(*made);
	}
	if (auto kept = store_ca(**ca); !kept)
		return tl::unexpected(std::move(kept.error()));
	return std::move(**ca);
}

// Makes ca.crt say what the Store says.
Result<> TlsDirectory::publish_ca(const std::string &certificate)
{
	const auto present = read(material_.ca_path);
	if (!present)
		return tl::unexpected(present.error());
	if (*present == certificate)
		return set_mode(material_.ca_path, public_mode);
	if (*present)
		log::warning(text("http tls: ", material_.ca_path,
				  ": another CA than that of the records: replaced"));
	return write(material_.ca_path, certificate, public_mode);
}

Result<> TlsDirectory::make_leaf()
{
	const auto names = distinct(options_.names);
	if (names.empty())
		return fail(ErrorKind::invalid_argument,
			    "http tls: no address or name for the certificate: set http.tls_san");
	const auto ca = find_or_create_ca();
	if (!ca)
		return tl::unexpected(ca.error());
	const auto leaf = crypto::issue_server_certificate(*ca, leaf_name, names, validity());
	if (!leaf)
		return fail(leaf.error().kind, text("http tls: ", leaf.error().what));
	return publish_ca(ca->certificate_pem)
		.and_then([&] { return write(material_.key_path, leaf->key_pem, secret_mode); })
		.and_then([&] {
			return write(material_.certificate_path, leaf->certificate_pem, public_mode);
		});
}

// Used as it is, whoever made it. Only what is missing beside it is added.
Result<> TlsDirectory::keep_leaf(const std::string &certificate)
{
	if (auto closed = set_mode(material_.key_path, secret_mode); !closed)
		return closed;
	const auto end_s = crypto::not_after(certificate);
	if (end_s && *end_s < options_.now_s + expiry_warning_s)
		log::warning(text("http tls: ", material_.certificate_path, ": expires ",
				  identity::format_time(*end_s * 1000),
				  ": remove it and its key for a new one, or install one"));
	const auto stored = store_.get(ca_certificate_key);
	if (!stored)
		return tl::unexpected(stored.error());
	const auto present = read(material_.ca_path);
	if (!present)
		return tl::unexpected(present.error());
	if (*stored)
		return *present ? Result<>{} : write(material_.ca_path, (*stored)->value, public_mode);
	const auto ca = ca_of_files();
	if (!ca) {
		log::warning(ca.error().what); // the listener does not need it
		return {};
	}
	return *ca ? store_ca(**ca) : Result<>{};
}

Result<TlsMaterial> TlsDirectory::prepare()
{
	if (auto made = make_directories(options_.directory); !made)
		return tl::unexpected(std::move(made.error()));
	const auto certificate = read(material_.certificate_path);
	if (!certificate)
		return tl::unexpected(certificate.error());
	const auto key = read(material_.key_path);
	if (!key)
		return tl::unexpected(key.error());
	if (certificate->has_value() != key->has_value()) {
		const auto &orphan = *key ? material_.key_path : material_.certificate_path;
		log::warning(text("http tls: ", orphan,
				  ": its other half is missing: set aside as .orphan, both are made anew"));
		if (auto moved = files_.rename(orphan, orphan + ".orphan"); !moved)
			return tl::unexpected(std::move(moved.error()));
	}
	const auto done = *certificate && *key ? keep_leaf(**certificate) : make_leaf();
	if (!done)
		return tl::unexpected(done.error());
	return material_;
}

} // namespace

Result<TlsMaterial> prepare_tls(const TlsOptions &options, state::Store &store,
				const crypto::SealingKey &sealing)
{
	return TlsDirectory(options, store, sealing).prepare();
}

} // namespace neuwerk::api
