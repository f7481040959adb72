// The CA of TLS interception over its routes, spec/http-api §5.12.
#include "api/intercept_ca_sample.h"
#include "api/route_bench.h"
#include "base/text.h"

namespace neuwerk::api {

namespace {

constexpr std::string_view path = "/api/v1/settings/tls-intercept-ca";
constexpr std::string_view key_record = "settings/tls_intercept/ca_key_envelope";

struct InterceptCa : RouteBench {
	InterceptCa() : RouteBench(add_intercept_ca_routes) {}

	Answer upload(std::string_view certificate, std::string_view key)
	{
		return send(Method::put, path,
			    json::serialize(json::object{{"ca_cert_pem", certificate}, {"ca_key_pem", key}}));
	}
	std::string stored_key()
	{
		const auto record = store().get(key_record);
		REQUIRE((record && *record));
		const auto der = crypto::unseal(sealing, (*record)->value);
		REQUIRE(der);
		return *der;
	}
};

const json::value none = json::parse(R"({"configured":false,"source":null,"fingerprint_sha256":null})");

json::value status_of(std::string_view pem)
{
	return json::object{{"configured", true},
			    {"source", "local"},
			    {"fingerprint_sha256", crypto::to_hex(crypto::sha256(pem))}};
}

std::string_view without_line_end(std::string_view pem)
{
	return pem.substr(0, pem.find_last_not_of('\n') + 1);
}

std::string body(json::object object)
{
	return json::serialize(object);
}

} // namespace

TEST_CASE("without a CA the status says so, and there is nothing to download")
{
	InterceptCa bench;
	CHECK(bench.get(path).status == 200);
	CHECK(bench.get(path).tree() == none);
	const Answer download = bench.get(text(path, "/cert"));
	CHECK(download.status == 404);
	CHECK(download.error() == "tls intercept ca is not configured");
}

TEST_CASE("an uploaded CA keeps the fingerprint of its text over reading and uploading again")
{
	InterceptCa bench;
	const json::value expected = status_of(without_line_end(sample::ec_ca_pem));
	const Answer first = bench.upload(text("\n", sample::ec_ca_pem, " "), sample::ec_key_pkcs8_pem);
	REQUIRE(first.status == 200);
	CHECK(first.tree() == expected);
	CHECK(bench.get(path).tree() == expected);
	CHECK(bench.upload(sample::ec_ca_pem, sample::ec_key_sec1_pem).tree() == expected);
}

TEST_CASE("the certificate is downloaded as a file")
{
	InterceptCa bench;
	REQUIRE(bench.upload(sample::ec_ca_pem, sample::ec_key_pkcs8_pem).status == 200);
	const Answer download = bench.get(text(path, "/cert"));
	CHECK(download.status == 200);
	CHECK(download.body == without_line_end(sample::ec_ca_pem));
	CHECK(download.content_type == "application/x-pem-file");
	CHECK(download.header("Content-Disposition") == "attachment; filename=\"neuwerk-dpi-root-ca.crt\"");
}

TEST_CASE("a key is taken as PKCS#8, SEC1, PKCS#1 or DER and stored as sealed PKCS#8")
{
	InterceptCa bench;
	REQUIRE(bench.upload(sample::ec_ca_pem, sample::ec_key_sec1_pem).status == 200);
	const std::string der = bench.stored_key();
	CHECK(crypto::to_base64(der) == sample::ec_key_der_base64);
	CHECK(bench.store().get(key_record).value()->value.find(der) == std::string::npos);

	REQUIRE(bench.send(Method::put, path,
			   body({{"ca_cert_pem", sample::ec_ca_pem},
				 {"ca_key_der_b64", text(" ", sample::ec_key_der_base64, "\n")}}))
			.status == 200);
	CHECK(bench.stored_key() == der);
	REQUIRE(bench.upload(sample::rsa_ca_pem, sample::rsa_key_pkcs1_pem).status == 200);
	CHECK(crypto::check_ca_pair(sample::rsa_ca_pem, crypto::key_pem_of_der(bench.stored_key()).value()));
}

TEST_CASE("what is wrong with an upload is said in the documented words, and the old CA stays")
{
	InterceptCa bench;
	REQUIRE(bench.upload(sample::rsa_ca_pem, sample::rsa_key_pkcs1_pem).status == 200);
	const std::string_view ca = sample::ec_ca_pem, key = sample::ec_key_pkcs8_pem;
	const std::string_view bad_pair = "invalid tls intercept ca cert/key pair: *";
	check_refusals(
		bench, Method::put, path,
		{{"", 400, "invalid json: *"},
		 {body({{"ca_key_pem", key}}), 400, "invalid json: *"},
		 {body({{"ca_cert_pem", " \n"}}), 400, "ca_cert_pem is required"},
		 {body({{"ca_cert_pem", ca}, {"ca_key_pem", key}, {"ca_key_der_b64", "AA=="}}), 400,
		  "provide either ca_key_pem or ca_key_der_b64, not both"},
		 {body({{"ca_cert_pem", ca}}), 400, "ca_key_pem or ca_key_der_b64 is required"},
		 {body({{"ca_cert_pem", ca}, {"ca_key_pem", nullptr}}), 400,
		  "ca_key_pem or ca_key_der_b64 is required"},
		 {body({{"ca_cert_pem", ca}, {"ca_key_pem", ca}}), 400,
		  "ca_key_pem does not contain a private key"},
		 {body({{"ca_cert_pem", ca}, {"ca_key_pem", ""}}), 400,
		  "ca_key_pem does not contain a private key"},
		 {body({{"ca_cert_pem", ca}, {"ca_key_der_b64", "?"}}), 400, "invalid ca_key_der_b64: *"},
		 {body({{"ca_cert_pem", ca}, {"ca_key_der_b64", "AAAA"}}), 400, bad_pair},
		 {body({{"ca_cert_pem", "not a certificate"}, {"ca_key_pem", key}}), 400, bad_pair},
		 {body({{"ca_cert_pem", ca}, {"ca_key_pem", sample::other_key_pem}}), 400, bad_pair},
		 {body({{"ca_cert_pem", sample::ec_leaf_pem}, {"ca_key_pem", key}}), 400, bad_pair}});
	CHECK(bench.get(path).tree() == status_of(without_line_end(sample::rsa_ca_pem)));
}

TEST_CASE("every generated CA is another one, usable and reported by GET")
{
	InterceptCa bench;
	const Answer first = bench.send(Method::post, text(path, "/generate"));
	REQUIRE(first.status == 200);
	CHECK(first.tree().at("source") == "local");
	CHECK(bench.get(path).body == first.body);
	const std::string pem = bench.get(text(path, "/cert")).body;
	CHECK(first.tree() == status_of(pem));
	CHECK(crypto::check_ca_pair(pem, crypto::key_pem_of_der(bench.stored_key()).value()));
	CHECK(crypto::not_after(pem).value() > bench.now_ms / 1000 + std::int64_t{9} * 365 * 86'400);
	const Answer second = bench.send(Method::post, text(path, "/generate"));
	CHECK(second.tree() != first.tree());
	CHECK(bench.get(path).body == second.body);
}

TEST_CASE("deleting the CA answers the empty status, as often as it is asked")
{
	InterceptCa bench;
	REQUIRE(bench.send(Method::post, text(path, "/generate")).status == 200);
	for (int time = 0; time < 2; ++time) {
		const Answer deleted = bench.send(Method::erase, path);
		CHECK(deleted.status == 200);
		CHECK(deleted.tree() == none);
	}
	CHECK(bench.get(path).tree() == none);
	CHECK(bench.store().list("settings/tls_intercept/").value().empty());
}

TEST_CASE("half a CA is an error")
{
	for (const std::string_view record : {"settings/tls_intercept/ca_cert_pem", key_record.data()}) {
		InterceptCa bench;
		bench.put_record(record, "x");
		CHECK(bench.get(path).status == 500);
		CHECK(bench.get(path).error() == "tls intercept ca material is incomplete");
		CHECK(bench.get(text(path, "/cert")).status == 500);
		CHECK(bench.send(Method::post, text(path, "/generate")).status == 200); // mends it
		CHECK(bench.get(path).status == 200);
	}
}

} // namespace neuwerk::api
