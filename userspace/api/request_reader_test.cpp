// The reader of requests, fed byte by byte and all at once.
#include "api/request_reader.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using api::RequestReader;
using Step = RequestReader::Step;

namespace {

constexpr std::size_t header_limit_bytes = 256;
constexpr std::size_t body_limit_bytes = 20;

struct Outcome {
	Step step = Step::more;
	int status = 0; // of a failure
	api::Head head;
	std::string rest; // after the request
	bool keep_alive = false;
};

// `part_bytes`: how much arrives at a time.
Outcome read(std::string_view bytes, std::size_t part_bytes)
{
	RequestReader reader(header_limit_bytes);
	Outcome outcome;
	bool has_head = false;
	while (outcome.step == Step::more && !bytes.empty()) {
		outcome.rest += bytes.substr(0, part_bytes);
		bytes.remove_prefix(std::min(part_bytes, bytes.size()));
		if (!has_head) {
			outcome.step = reader.read_head(outcome.rest);
			has_head = outcome.step == Step::ready;
			if (has_head)
				reader.expect_body(body_limit_bytes, true);
		}
		if (has_head)
			outcome.step = reader.read_body(outcome.rest);
	}
	outcome.rest += bytes;
	outcome.status = outcome.step == Step::failed ? reader.failure().status : 0;
	outcome.keep_alive = reader.keep_alive();
	outcome.head = reader.head();
	return outcome;
}

// The same in both ways of arriving.
Outcome read(std::string_view bytes)
{
	const Outcome whole = read(bytes, bytes.size()), parts = read(bytes, 1);
	CHECK(whole.step == parts.step);
	CHECK(whole.status == parts.status);
	CHECK(whole.head.request.body == parts.head.request.body);
	if (whole.step == Step::ready)
		CHECK(whole.head.request.headers == parts.head.request.headers);
	return whole;
}

} // namespace

TEST_CASE("a request without a body is complete with its header, and the next one stays")
{
	const Outcome outcome = read("GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-A:  1 \r\n\r\nGET /next");
	CHECK(outcome.step == Step::ready);
	CHECK(outcome.head.method == api::Method::get);
	CHECK(outcome.head.method_name == "GET");
	CHECK(outcome.head.request.path == "/a%20b");
	CHECK(outcome.head.request.query == "c=d");
	CHECK(outcome.head.request.header("x-a") == "1");
	CHECK(outcome.rest == "GET /next");
	CHECK(outcome.keep_alive);
}

TEST_CASE("bodies come by length and in chunks; trailers are thrown away")
{
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloX").head.request.body ==
	      "hello");
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").step == Step::ready);
	const Outcome chunked = read("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
				     "3;a=b\r\nabc\r\n00A\r\n0123456789\r\n0\r\nAuthorization: x\r\n\r\n+");
	CHECK(chunked.head.request.body == "abc0123456789");
	CHECK(!chunked.head.request.header("authorization"));
	CHECK(chunked.rest == "+");
}

TEST_CASE("a body above the limit is 413, however it is announced")
{
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n01234567890123456789").status ==
	      0);
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 21\r\n\r\n0").status == 413);
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "a\r\n0123456789\r\na\r\n0123456789\r\n1\r\n")
		      .status == 413);
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n")
		      .status == 413);
}

TEST_CASE("what is no HTTP is 400")
{
	const std::string head = "PUT / HTTP/1.1\r\nHost: x\r\n";
	for (const std::string &bytes : std::vector<std::string>{
		     "hello\r\n\r\n",
		     "GET / HTTP/2.0\r\n\r\n",
		     "GET relative HTTP/1.1\r\nHost: x\r\n\r\n",
		     "GET / HTTP/1.1\r\n\r\n",                       // no Host
		     "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", // two
		     "GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n",
		     "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
		     head + "Content-Length: -1\r\n\r\n",
		     head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
		     head + "Content-Length: 99999999999999999999\r\n\r\n",
		     head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		     head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
		     head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
		     head + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
		     "\x16\x03\x01\x02",
	     }) {
		CAPTURE(bytes);
		CHECK(read(bytes).status == 400);
	}
}

TEST_CASE("a line that ends without a carriage return is no line")
{
	const std::string_view bytes = "GET / HTTP/1.1\nHost: x\n\n";
	CHECK(read(bytes, bytes.size()).status == 400);
	CHECK(read(bytes, 1).step == Step::more); // until the deadline of a header
}

TEST_CASE("a transfer encoding or an expectation that we do not have is refused")
{
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").status == 501);
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n").status == 501);
	CHECK(read("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").status == 501);
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n").status == 417);
	CHECK(read("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 0\r\n\r\n").step ==
	      Step::ready);
}

TEST_CASE("a header above its limit is 431, also when it comes field by field")
{
	const std::string start = "GET / HTTP/1.1\r\nHost: x\r\n";
	CHECK(read(start + "A: " + std::string(300, 'b') + "\r\n\r\n").status == 431);
	CHECK(read("GET /" + std::string(300, 'a')).status == 431);
	std::string many = start;
	for (int i = 0; i < 60; i++)
		many += "A: b\r\n";
	CHECK(read(many + "\r\n").status == 431);
	// Each part ends in the first letter of the next field: then the parser takes every field at once.
	RequestReader reader(header_limit_bytes);
	std::string input = start + "A";
	Step step = reader.read_head(input);
	for (int i = 0; i < 60 && step == Step::more; i++) {
		input += ": b\r\nA";
		step = reader.read_head(input);
	}
	CHECK(step == Step::failed);
	CHECK(reader.failure().status == 431);
}

TEST_CASE("a chunk's line or a trailer without an end does not grow for ever")
{
	const std::string head = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
	CHECK(read(head + "1;" + std::string(20'000, 'a'), 1000).status == 400);
	CHECK(read(head + "0\r\n" + "A: " + std::string(20'000, 'a'), 1000).status == 400);
}

TEST_CASE("connections stay open as the versions say")
{
	CHECK(!read("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").keep_alive);
	CHECK(!read("GET / HTTP/1.0\r\n\r\n").keep_alive);
	CHECK(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
	CHECK(read("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").step == Step::ready);
}
