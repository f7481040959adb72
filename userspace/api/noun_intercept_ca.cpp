// Routes: the CA of TLS interception, spec/http-api §5.12.
#include "api/fields.h"
#include "api/nouns.h"
#include "api/records.h"
#include "api/settings_records.h"
#include "api/spelling.h"
#include "base/text.h"

#include <boost/json.hpp>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

constexpr std::string_view prefix = "settings/tls_intercept/";
constexpr std::string_view certificate_key = "settings/tls_intercept/ca_cert_pem";
constexpr std::string_view envelope_key = "settings/tls_intercept/ca_key_envelope"; // seals PKCS#8 DER

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t lifetime_s = 10 * 365 * day_s;

// The certificate that is in force, if any. Both records come from one read: a change between two reads would
// look like half a CA.
Result<std::optional<std::string>> certificate(const state::Store &store)
{
	const auto records = store.list(prefix);
	if (!records)
		return tl::unexpected(records.error());
	std::optional<std::string> pem;
	bool has_key = false;
	for (const state::Record &record : *records) {
		if (record.key == certificate_key)
			pem = record.value;
		if (record.key == envelope_key)
			has_key = true;
	}
	if (pem.has_value() != has_key)
		return fail(ErrorKind::corrupt, "tls intercept ca material is incomplete");
	return pem;
}

Response status(const std::optional<std::string> &pem)
{
	json::object body{
		{"configured", pem.has_value()}, {"source", nullptr}, {"fingerprint_sha256", nullptr}};
	if (pem) {
		body["source"] = setting_source;
		// Of the text, not of the DER: clients compare it with the text that they sent.
		body["fingerprint_sha256"] = crypto::to_hex(crypto::sha256(*pem));
	}
	return {.body = json::serialize(body)};
}

Response show(Services &services)
{
	const auto pem = certificate(services.store);
	return pem ? status(*pem) : error_response(pem.error());
}

Response download(Services &services)
{
	auto pem = certificate(services.store);
	if (!pem)
		return error_response(pem.error());
	if (!*pem)
		return error_response(404, "tls intercept ca is not configured");
	return {.body = std::move(**pem),
		.content_type = "application/x-pem-file",
		.headers = {{"Content-Disposition", "attachment; filename=\"neuwerk-dpi-root-ca.crt\""}}};
}

tl::unexpected<Error> bad_pair(std::string_view why)
{
	return fail(ErrorKind::invalid_argument, text("invalid tls intercept ca cert/key pair: ", why));
}

// The private key of the request as PEM, in whatever form it came.
Result<std::string> key_pem(const std::optional<std::string> &pem,
			    const std::optional<std::string> &der_base64)
{
	if (pem && der_base64)
		return fail(ErrorKind::invalid_argument,
			    "provide either ca_key_pem or ca_key_der_b64, not both");
	if (!pem && !der_base64)
		return fail(ErrorKind::invalid_argument, "ca_key_pem or ca_key_der_b64 is required");
	if (pem) {
		if (pem->find("PRIVATE KEY-----") == std::string::npos)
			return fail(ErrorKind::invalid_argument, "ca_key_pem does not contain a private key");
		return *pem;
	}
	const auto der = crypto::from_base64(trimmed(*der_base64));
	if (!der)
		return fail(ErrorKind::invalid_argument, text("invalid ca_key_der_b64: ", der.error().what));
	auto converted = crypto::key_pem_of_der(*der);
	if (!converted)
		return bad_pair(converted.error().what);
	return converted;
}

Response store_pair(Services &services, const Call &call, const std::string &certificate_pem,
		    std::string_view private_key_pem)
{
	const auto der = crypto::key_der_of_pem(private_key_pem);
	if (!der)
		return error_response(bad_pair(der.error().what).value());
	const auto written = services.store.write(
		{.operations = {state::put(std::string(certificate_key), certificate_pem),
				state::put(std::string(envelope_key), crypto::seal(services.sealing, *der))},
		 .actor = call.subject.sub});
	return written ? status(certificate_pem) : error_response(written.error());
}

Response upload(Services &services, const Call &call)
{
	std::string sent;
	std::optional<std::string> pem, der_base64;
	Fields fields(call.request.body);
	fields.required("ca_cert_pem", sent);
	fields.optional("ca_key_pem", pem);
	fields.optional("ca_key_der_b64", der_base64);
	if (const auto read = fields.result(); !read)
		return error_response(read.error());
	const std::string certificate_pem(trimmed(sent));
	if (certificate_pem.empty())
		return error_response(400, "ca_cert_pem is required");
	const auto private_key = key_pem(pem, der_base64);
	if (!private_key)
		return error_response(private_key.error());
	if (const auto checked = crypto::check_ca_pair(certificate_pem, *private_key); !checked)
		return error_response(bad_pair(checked.error().what).value());
	return store_pair(services, call, certificate_pem, *private_key);
}

Response generate(Services &services, const Call &call)
{
	const std::int64_t now_s = services.now_ms() / 1000;
	// From yesterday: a client whose clock is behind accepts it too.
	const auto ca = crypto::create_ca("Neuwerk DPI Root CA",
					  {.from_s = now_s - day_s, .until_s = now_s + lifetime_s});
	if (!ca)
		return error_response(ca.error());
	return store_pair(services, call, std::string(trimmed(ca->certificate_pem)), ca->key_pem);
}

Response remove(Services &services, const Call &call)
{
	const auto written = services.store.write({.operations = {state::erase(std::string(certificate_key)),
								  state::erase(std::string(envelope_key))},
						   .actor = call.subject.sub});
	return written ? status(std::nullopt) : error_response(written.error());
}

} // namespace

void add_intercept_ca_routes(Routes &routes, Services &services)
{
	constexpr std::string_view path = "/api/v1/settings/tls-intercept-ca";
	routes.push_back(
		{.method = Method::get,
		 .path = path,
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = "Settings",
				   .summary = "Whether a CA for TLS interception is there, and which",
				   .response = "#InterceptCaStatus"},
		 .handle = [&services](const Call &) { return show(services); }});
	routes.push_back({.method = Method::put,
			  .path = path,
			  .access = Access::user,
			  .reads = Reads::json_body,
			  .documentation = {.tag = "Settings",
					    .summary = "Upload certificate and private key of a CA",
					    .request = "#InterceptCaUpload",
					    .response = "#InterceptCaStatus"},
			  .handle = [&services](const Call &call) { return upload(services, call); }});
	routes.push_back({.method = Method::erase,
			  .path = path,
			  .access = Access::user,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Settings",
					    .summary = "Forget the CA",
					    .response = "#InterceptCaStatus"},
			  .handle = [&services](const Call &call) { return remove(services, call); }});
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/settings/tls-intercept-ca/cert",
			  .access = Access::user,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Settings",
					    .summary = "The CA certificate, for the trust stores of clients",
					    .response = R"({"type":"string"})",
					    .response_type = "application/x-pem-file"},
			  .handle = [&services](const Call &) { return download(services); }});
	routes.push_back({.method = Method::post,
			  .path = "/api/v1/settings/tls-intercept-ca/generate",
			  .access = Access::user,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Settings",
					    .summary = "Make a new CA, in place of any other",
					    .response = "#InterceptCaStatus"},
			  .handle = [&services](const Call &call) { return generate(services, call); }});
}

} // namespace neuwerk::api
