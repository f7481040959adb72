// What a start finds in http-tls/ and what it leaves there (spec/http-api §1.2).
#include "api/api.h"
#include "state/temporary_store.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

using namespace neuwerk;
using namespace neuwerk::api;

namespace {

const crypto::SealingKey sealing{"local-v1", std::string(32, 'k')};

class Site {
public:
	Site()
	{
		std::string name = (std::filesystem::temp_directory_path() / "nw-tls-XXXXXX").string();
		REQUIRE(mkdtemp(name.data()) != nullptr);
		root_ = name;
		options.directory = root_ + "/http-tls";
		options.names = {"192.0.2.7", "192.0.2.7", " ", "fw.example.net", "FW.example.net"};
		options.now_s = std::time(nullptr);
	}
	~Site()
	{
		std::filesystem::remove_all(root_);
	}
	Result<TlsMaterial> prepare()
	{
		return prepare_tls(options, *store, sealing);
	}
	[[nodiscard]] std::string path(const std::string &name) const
	{
		return options.directory + "/" + name;
	}
	[[nodiscard]] std::string content(const std::string &name) const
	{
		std::ifstream file(path(name), std::ios::binary);
		return {std::istreambuf_iterator<char>(file), {}};
	}
	void write(const std::string &name, std::string_view content) const
	{
		std::filesystem::create_directories(options.directory);
		std::ofstream(path(name), std::ios::binary) << content;
	}
	[[nodiscard]] unsigned mode(const std::string &name) const
	{
		struct stat found;
		REQUIRE(stat(path(name).c_str(), &found) == 0);
		return found.st_mode & 07777;
	}
	[[nodiscard]] bool verifies(const std::string &more = "") const
	{
		const std::string command = "openssl verify -x509_strict -purpose sslserver -no-CApath "
					    "-no-CAstore -CAfile " +
					    path("ca.crt") + " " + more + " " + path("node.crt") +
					    " >/dev/null 2>&1";
		return std::system(command.c_str()) == 0;
	}
	// "X509v3 Subject Alternative Name: \n    IP Address:…, DNS:…"
	[[nodiscard]] std::string shown_names() const
	{
		const std::string command = "openssl x509 -noout -ext subjectAltName -in " +
					    path("node.crt") + " >" + path("names");
		REQUIRE(std::system(command.c_str()) == 0);
		return content("names");
	}
	[[nodiscard]] bool has_stored_ca() const
	{
		return store->get("http/ca/cert")->has_value();
	}

	state::TemporaryStore store;
	TlsOptions options;

private:
	std::string root_;
};

crypto::Issued make_ca(const Site &site, const std::string &name)
{
	return crypto::create_ca(name, {site.options.now_s - 60, site.options.now_s + 3600}).value();
}

} // namespace

TEST_CASE("a first start makes a CA and a leaf that verifies through ca.crt only")
{
	Site site;
	const auto material = site.prepare();
	REQUIRE(material);
	CHECK(material->certificate_path == site.path("node.crt"));
	CHECK(material->key_path == site.path("node.key"));
	CHECK(material->ca_path == site.path("ca.crt"));
	CHECK(site.mode("node.crt") == 0644);
	CHECK(site.mode("node.key") == 0600);
	CHECK(site.mode("ca.crt") == 0644);
	CHECK(site.content("node.key").starts_with("-----BEGIN PRIVATE KEY-----"));
	CHECK(site.verifies("-verify_ip 192.0.2.7"));
	CHECK(site.verifies("-verify_hostname fw.example.net"));
	CHECK_FALSE(site.verifies("-verify_ip 192.0.2.8"));
	CHECK_FALSE(std::filesystem::exists(site.path("ca.key")));
	for (const auto &entry : std::filesystem::directory_iterator(site.options.directory))
		CHECK(entry.path().extension() != ".new");
}

TEST_CASE("each name stands once in the certificate, in the order of the configuration")
{
	Site site;
	REQUIRE(site.prepare());
	const std::string shown = site.shown_names();
	CHECK_MESSAGE(shown.find(" IP Address:192.0.2.7, DNS:fw.example.net\n") != std::string::npos, shown);
}

TEST_CASE("the CA's key lies sealed in the store, and nowhere in clear")
{
	Site site;
	REQUIRE(site.prepare());
	CHECK(site.store->get("http/ca/cert").value()->value == site.content("ca.crt"));
	const auto der = crypto::unseal(sealing, site.store->get("http/ca/envelope").value()->value);
	REQUIRE(der);
	CHECK(crypto::check_ca_pair(site.content("ca.crt"), crypto::key_pem_of_der(*der).value()));
	const auto records = site.store->list("");
	for (const auto &record : *records)
		CHECK(record.value.find(*der) == std::string::npos);
}

TEST_CASE("a second start changes nothing but the mode of the key")
{
	Site site;
	REQUIRE(site.prepare());
	const std::string certificate = site.content("node.crt"), key = site.content("node.key");
	chmod(site.path("node.key").c_str(), 0644);
	site.options.names = {"198.51.100.1"};
	REQUIRE(site.prepare());
	CHECK(site.content("node.crt") == certificate);
	CHECK(site.content("node.key") == key);
	CHECK(site.mode("node.key") == 0600);
}

TEST_CASE("a lost ca.crt comes back from the store")
{
	Site site;
	REQUIRE(site.prepare());
	const std::string ca = site.content("ca.crt");
	std::filesystem::remove(site.path("ca.crt"));
	REQUIRE(site.prepare());
	CHECK(site.content("ca.crt") == ca);
	CHECK(site.mode("ca.crt") == 0644);
}

TEST_CASE("half of a leaf is set aside and both halves are made anew, by the same CA")
{
	for (const std::string lost : {"node.crt", "node.key"}) {
		CAPTURE(lost);
		const std::string orphan = lost == "node.crt" ? "node.key" : "node.crt";
		Site site;
		REQUIRE(site.prepare());
		const std::string ca = site.content("ca.crt"), old = site.content(orphan);
		std::filesystem::remove(site.path(lost));
		REQUIRE(site.prepare());
		CHECK(site.content(orphan) != old);
		CHECK(site.content(orphan + ".orphan") == old);
		CHECK(site.content("ca.crt") == ca);
		CHECK(site.verifies());
		CHECK(site.mode("node.key") == 0600);
	}
}

TEST_CASE("a CA of the reference is imported, key in DER or PEM, and its file is never written")
{
	for (const bool is_pem : {false, true}) {
		CAPTURE(is_pem);
		Site site;
		const auto ca = make_ca(site, "rcgen self signed cert");
		const std::string key = is_pem ? ca.key_pem : crypto::key_der_of_pem(ca.key_pem).value();
		site.write("ca.crt", ca.certificate_pem);
		site.write("ca.key", key);
		REQUIRE(site.prepare());
		CHECK(site.content("ca.crt") == ca.certificate_pem);
		CHECK(site.content("ca.key") == key);
		CHECK(site.store->get("http/ca/cert").value()->value == ca.certificate_pem);
		CHECK(site.verifies("-verify_ip 192.0.2.7"));
	}
}

TEST_CASE("a drop-in directory with a leaf is used as it is, and its CA is imported")
{
	Site site;
	const auto ca = make_ca(site, "theirs");
	const auto leaf = crypto::issue_server_certificate(
		ca, "leaf", {"192.0.2.9"}, {site.options.now_s - 60, site.options.now_s + 60});
	site.write("ca.crt", ca.certificate_pem);
	site.write("ca.key", crypto::key_der_of_pem(ca.key_pem).value());
	site.write("node.crt", leaf->certificate_pem);
	site.write("node.key", leaf->key_pem);
	REQUIRE(site.prepare());
	CHECK(site.content("node.crt") == leaf->certificate_pem);
	CHECK(site.has_stored_ca());
}

TEST_CASE("a leaf with a foreign ca.crt, whose key nobody has, still serves")
{
	Site site;
	const auto ca = make_ca(site, "theirs");
	const auto leaf = crypto::issue_server_certificate(
		ca, "leaf", {"192.0.2.9"}, {site.options.now_s - 60, site.options.now_s + 60});
	site.write("ca.crt", ca.certificate_pem);
	site.write("node.crt", leaf->certificate_pem);
	site.write("node.key", leaf->key_pem);
	CHECK(site.prepare());
	CHECK_FALSE(site.has_stored_ca());
	CHECK(site.content("ca.crt") == ca.certificate_pem);
}

TEST_CASE("without a leaf, a CA of which half is missing or does not fit stops the start")
{
	const auto refusal = [](const auto &write) {
		Site site;
		write(site);
		const auto prepared = site.prepare();
		REQUIRE_FALSE(prepared);
		CHECK_FALSE(site.has_stored_ca());
		CHECK_FALSE(std::filesystem::exists(site.path("node.crt")));
		return prepared.error().what;
	};
	const std::string mismatch = "http tls: ca cert/key mismatch: ";
	CHECK(refusal([](Site &site) {
		      site.write("ca.crt", make_ca(site, "one").certificate_pem);
	      }).starts_with(mismatch));
	CHECK(refusal([](Site &site) {
		      site.write("ca.key", make_ca(site, "one").key_pem);
	      }).starts_with(mismatch));
	CHECK(refusal([](Site &site) {
		      site.write("ca.crt", make_ca(site, "one").certificate_pem);
		      site.write("ca.key", make_ca(site, "two").key_pem);
	      }).starts_with(mismatch));
	CHECK(refusal([](Site &site) {
		      site.write("ca.crt", make_ca(site, "one").certificate_pem);
		      site.write("ca.key", "no key");
	      }).find("ca.key: private key: DER: ") != std::string::npos);
}

TEST_CASE("another secret.key stops the making of a leaf, and names the record")
{
	Site site;
	REQUIRE(site.prepare());
	std::filesystem::remove(site.path("node.crt"));
	std::filesystem::remove(site.path("node.key"));
	const auto prepared = prepare_tls(site.options, *site.store, {"local-v1", std::string(32, 'x')});
	REQUIRE_FALSE(prepared);
	CHECK(prepared.error().kind == ErrorKind::corrupt);
	CHECK(prepared.error().what.starts_with("http tls: record http/ca/envelope: sealed secret: "));
}

TEST_CASE("paths of the configuration are used, a certificate without any name is refused")
{
	Site site;
	site.options.certificate_path = site.path("own.crt");
	site.options.key_path = site.path("own.key");
	const auto material = site.prepare();
	REQUIRE(material);
	CHECK(material->certificate_path == site.path("own.crt"));
	CHECK(std::filesystem::exists(site.path("own.key")));
	CHECK_FALSE(std::filesystem::exists(site.path("node.crt")));
	Site nameless;
	nameless.options.names = {" "};
	CHECK(nameless.prepare().error().what ==
	      "http tls: no address or name for the certificate: set http.tls_san");
}
