// What create_ca and issue_server_certificate make is held against the openssl program and Python's ssl, both
// strict; and secret.key is kept from others.
#include "crypto/crypto.h"

#include "base/text.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace neuwerk;
using namespace neuwerk::crypto;

namespace {

constexpr Validity decade{1'700'000'000, 2'015'360'000};

class Directory {
public:
	Directory()
	{
		std::string name = (std::filesystem::temp_directory_path() / "nw-crypto-XXXXXX").string();
		REQUIRE(mkdtemp(name.data()) != nullptr);
		path = name;
	}
	~Directory()
	{
		std::filesystem::remove_all(path);
	}
	std::string write(const std::string &name, std::string_view content) const
	{
		std::ofstream(path + "/" + name, std::ios::binary) << content;
		return path + "/" + name;
	}

	std::string path;
};

struct Outcome {
	int status;
	std::string output;
};

Outcome run(const std::string &command)
{
	Outcome outcome{};
	FILE *pipe = popen((command + " 2>&1").c_str(), "r");
	REQUIRE(pipe != nullptr);
	char chunk[4096];
	for (std::size_t count; (count = fread(chunk, 1, sizeof chunk, pipe)) > 0;)
		outcome.output.append(chunk, count);
	outcome.status = pclose(pipe);
	return outcome;
}

std::string content_of(const std::string &path)
{
	std::ifstream file(path, std::ios::binary);
	return {std::istreambuf_iterator<char>(file), {}};
}

const std::vector<std::string> names = {"192.0.2.7", "2001:db8::7", "fw.example.net"};

// A TLS handshake in memory, with every strictness that Python knows.
constexpr const char *handshake = R"(
import ssl, sys
ca, certificate, key, name = sys.argv[1:]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(certificate, key)
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.verify_flags |= ssl.VERIFY_X509_STRICT
client.load_verify_locations(ca)
to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
ends = [client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True)]
for _ in range(8):
    for end in list(ends):
        try:
            end.do_handshake()
            ends.remove(end)
        except ssl.SSLWantReadError:
            pass
assert not ends
)";

} // namespace

TEST_CASE("openssl verify -x509_strict accepts the leaf through ca.crt only, for each of its names")
{
	const Directory directory;
	const auto ca = create_ca("Neuwerk API CA", decade);
	REQUIRE(ca);
	const auto leaf = issue_server_certificate(*ca, "neuwerk", names, decade);
	REQUIRE(leaf);
	const std::string ca_path = directory.write("ca.crt", ca->certificate_pem);
	const std::string leaf_path = directory.write("node.crt", leaf->certificate_pem);
	const std::string verify = "openssl verify -x509_strict -purpose sslserver -no-CApath -no-CAstore "
				   "-attime 1800000000 -CAfile " +
				   ca_path + " ";
	for (const char *name :
	     {"-verify_ip 192.0.2.7", "-verify_ip 2001:db8::7", "-verify_hostname fw.example.net"}) {
		CAPTURE(name);
		const auto outcome = run(verify + name + " " + leaf_path);
		CHECK_MESSAGE(outcome.status == 0, outcome.output);
	}
	CHECK(run(verify + "-verify_ip 192.0.2.8 " + leaf_path).status != 0);
	const auto other = create_ca("Neuwerk API CA", decade);
	directory.write("ca.crt", other->certificate_pem);
	CHECK(run(verify + leaf_path).status != 0);
}

TEST_CASE("Python's ssl with VERIFY_X509_STRICT shakes hands by address and by name")
{
	const Directory directory;
	const std::int64_t now_s = std::time(nullptr);
	const Validity validity{now_s - 3600, now_s + 3600};
	const auto ca = create_ca("Neuwerk API CA", validity);
	const auto leaf = issue_server_certificate(*ca, "neuwerk", names, validity);
	REQUIRE(leaf);
	const std::string command = text("python3 ", directory.write("handshake.py", handshake), " ",
					 directory.write("ca.crt", ca->certificate_pem), " ",
					 directory.write("node.crt", leaf->certificate_pem), " ",
					 directory.write("node.key", leaf->key_pem), " ");
	for (const char *name : {"192.0.2.7", "fw.example.net"}) {
		CAPTURE(name);
		const auto outcome = run(command + name);
		CHECK_MESSAGE(outcome.status == 0, outcome.output);
	}
	CHECK(run(command + "192.0.2.8").status != 0);
}

TEST_CASE("the leaf says what it is for, and its name is not its issuer's")
{
	const Directory directory;
	const auto ca = create_ca("Neuwerk API CA", decade);
	const auto leaf = issue_server_certificate(*ca, "neuwerk", names, decade);
	const auto shown =
		run("openssl x509 -noout -text -in " + directory.write("node.crt", leaf->certificate_pem))
			.output;
	for (const char *part :
	     {"Version: 3", "Issuer: CN = Neuwerk API CA", "Subject: CN = neuwerk", "CA:FALSE",
	      "Digital Signature", "TLS Web Server Authentication", "X509v3 Authority Key Identifier",
	      "X509v3 Subject Key Identifier",
	      "IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, DNS:fw.example.net"}) {
		CAPTURE(part);
		CHECK_MESSAGE(shown.find(part) != std::string::npos, shown);
	}
	CHECK_FALSE(issue_server_certificate(*ca, "Neuwerk API CA", names, decade));
	CHECK(not_after(leaf->certificate_pem) == decade.until_s);
}

TEST_CASE("a certificate beyond 2050 keeps its end")
{
	constexpr std::int64_t year_2080_s = 3'471'292'800;
	CHECK(not_after(create_ca("CA", {0, year_2080_s})->certificate_pem) == year_2080_s);
	CHECK_FALSE(create_ca("CA", {5, 5}));
	CHECK_FALSE(create_ca("", decade));
	CHECK_FALSE(create_ca(std::string(65, 'x'), decade));
}

TEST_CASE("a name that no certificate can carry is refused by its name")
{
	const auto ca = create_ca("CA", decade);
	for (const char *name : {"", "two words", "h\xc3\xb6st", "new\nline"}) {
		CAPTURE(name);
		const auto leaf = issue_server_certificate(*ca, "neuwerk", {name}, decade);
		REQUIRE_FALSE(leaf);
		CHECK(leaf.error().kind == ErrorKind::invalid_argument);
		CHECK(leaf.error().what.find(text("'", name, "'")) != std::string::npos);
	}
}

TEST_CASE("a CA pair must belong together and be allowed to sign")
{
	const auto ca = create_ca("CA", decade);
	const auto other = create_ca("CA", decade);
	const auto leaf = issue_server_certificate(*ca, "neuwerk", names, decade);
	CHECK(check_ca_pair(ca->certificate_pem, ca->key_pem));
	CHECK(check_ca_pair(ca->certificate_pem, other->key_pem).error().what.find("mismatch") !=
	      std::string::npos);
	CHECK(check_ca_pair(leaf->certificate_pem, leaf->key_pem).error().what.find("CA:TRUE") !=
	      std::string::npos);
	CHECK(check_ca_pair("no PEM", ca->key_pem).error().kind == ErrorKind::invalid_argument);
	CHECK(check_ca_pair(ca->certificate_pem, "no PEM").error().kind == ErrorKind::invalid_argument);
}

TEST_CASE("a CA of openssl with an SEC1 or PKCS#1 key is accepted, an encrypted key is refused")
{
	const Directory directory;
	const std::string base = directory.path;
	const auto made =
		run("cd " + base +
		    " && openssl ecparam -name prime256v1 -genkey -noout -out sec1.key"
		    " && openssl req -x509 -new -key sec1.key -subj /CN=sec1 -days 9 -out sec1.crt"
		    " && openssl genrsa -traditional -out pkcs1.key 2048"
		    " && openssl req -x509 -new -key pkcs1.key -subj /CN=pkcs1 -days 9 -out pkcs1.crt"
		    " && openssl pkcs8 -topk8 -in sec1.key -passout pass:x -out encrypted.key");
	REQUIRE_MESSAGE(made.status == 0, made.output);
	for (const std::string name : {"sec1", "pkcs1"}) {
		CAPTURE(name);
		const std::string certificate = content_of(base + "/" + name + ".crt");
		const std::string key = content_of(base + "/" + name + ".key");
		CHECK(key.find(name == "sec1" ? "BEGIN EC PRIVATE" : "BEGIN RSA PRIVATE") !=
		      std::string::npos);
		CHECK(check_ca_pair(certificate, key));
		const auto der = key_der_of_pem(key);
		REQUIRE(der);
		CHECK(check_ca_pair(certificate, key_pem_of_der(*der).value()));
		CHECK(issue_server_certificate({certificate, key}, "neuwerk", names, decade));
	}
	CHECK_FALSE(key_der_of_pem(content_of(base + "/encrypted.key")));
	CHECK_FALSE(key_pem_of_der("no DER"));
}

TEST_CASE("secret.key is made once, for its owner only, and read again")
{
	const Directory directory;
	const std::string path = directory.path + "/secret.key";
	const auto made = load_or_create_sealing_key(path);
	REQUIRE(made);
	CHECK(made->kid == "local-v1");
	CHECK(made->secret.size() == 32);
	struct stat found;
	REQUIRE(stat(path.c_str(), &found) == 0);
	CHECK((found.st_mode & 07777) == 0600);
	CHECK(load_or_create_sealing_key(path)->secret == made->secret);
	CHECK(content_of(path) == made->secret);
}

TEST_CASE("secret.key that others may read, or of another length, is refused by its name")
{
	const Directory directory;
	const std::string path = directory.write("secret.key", std::string(32, 'k'));
	chmod(path.c_str(), 0640);
	const auto open_to_others = load_or_create_sealing_key(path);
	REQUIRE_FALSE(open_to_others);
	CHECK(open_to_others.error().kind == ErrorKind::forbidden);
	CHECK(open_to_others.error().what.find(path) != std::string::npos);
	directory.write("secret.key", "short");
	chmod(path.c_str(), 0600);
	const auto short_key = load_or_create_sealing_key(path);
	REQUIRE_FALSE(short_key);
	CHECK(short_key.error().kind == ErrorKind::corrupt);
	CHECK(content_of(path) == "short");
	CHECK_FALSE(load_or_create_sealing_key(directory.path + "/missing/secret.key"));
}
