// What counts as an address, a network, an endpoint, a number and a protocol.
#include "base/address.h"
#include "base/error_codes.h"
#include "base/text.h"

#include <doctest/doctest.h>

using namespace neuwerk;

TEST_CASE("an IPv4 address is read and written back as it was")
{
	for (const char *written : {"0.0.0.0", "10.0.0.5", "203.0.113.9", "255.255.255.255"}) {
		CAPTURE(written);
		const auto address = parse_ipv4(written);
		REQUIRE(address);
		CHECK(format_ipv4(*address) == written);
	}
	CHECK(*parse_ipv4("1.2.3.4") == 0x01020304);
}

TEST_CASE("what only looks like an IPv4 address is refused")
{
	for (const char *wrong : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.-4", "1..3.4",
				  "a.b.c.d", "1.2.3.4 ", "::1", "1.2.3.+4"}) {
		CAPTURE(wrong);
		CHECK_FALSE(parse_ipv4(wrong));
	}
}

TEST_CASE("a network has no host bits, and the message names the network that was meant")
{
	CHECK(*parse_ipv4_network("10.0.0.0/8") == Ipv4Network{0x0a000000, 8});
	CHECK(*parse_ipv4_network("0.0.0.0/0") == Ipv4Network{0, 0});
	CHECK(*parse_ipv4_network("192.0.2.1") == Ipv4Network{0xc0000201, 32});
	const auto wrong = parse_ipv4_network("10.1.2.3/16");
	REQUIRE_FALSE(wrong);
	CHECK(wrong.error().what == "'10.1.2.3/16' has host bits set; the network is 10.1.0.0/16");
	for (const char *text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "/8", "10.0.0/8"}) {
		CAPTURE(text);
		CHECK_FALSE(parse_ipv4_network(text));
	}
}

TEST_CASE("an endpoint is an address and a port")
{
	const auto endpoint = parse_endpoint("127.0.0.1:8080");
	REQUIRE(endpoint);
	CHECK(endpoint->address == 0x7f000001);
	CHECK(endpoint->port == 8080);
	CHECK(format_endpoint(*endpoint) == "127.0.0.1:8080");
	for (const char *text : {"127.0.0.1", ":8080", "127.0.0.1:", "127.0.0.1:65536", "localhost:80"}) {
		CAPTURE(text);
		CHECK_FALSE(parse_endpoint(text));
	}
}

TEST_CASE("a protocol is one of three names in any case, or a number")
{
	CHECK(*parse_protocol("TCP") == 6);
	CHECK(*parse_protocol("udp") == 17);
	CHECK(*parse_protocol("Icmp") == 1);
	CHECK(*parse_protocol("47") == 47);
	CHECK_FALSE(parse_protocol("256"));
	CHECK_FALSE(parse_protocol("sctp"));
	CHECK(format_protocol(6) == "tcp");
	CHECK(format_protocol(47) == "47");
}

TEST_CASE("every error kind survives the way through a gRPC code")
{
	for (const ErrorKind kind : {ErrorKind::invalid_argument, ErrorKind::not_found, ErrorKind::conflict,
				     ErrorKind::unauthenticated, ErrorKind::forbidden, ErrorKind::unavailable,
				     ErrorKind::resource_exhausted, ErrorKind::corrupt, ErrorKind::internal})
		CHECK(kind_of_grpc_code(codes_of(kind).grpc_code) == kind);
	CHECK(kind_of_grpc_code(2) == ErrorKind::internal);
}

TEST_CASE("text joins words, characters and numbers")
{
	CHECK(text("port ", 70000, ':', std::string("x"), std::uint8_t{7}) == "port 70000:x7");
}
