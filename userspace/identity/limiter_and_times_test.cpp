// The login limiter of spec/http-api §5.2, durations of §5.6 and times of §2.2.
#include "identity/identity.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::identity;

namespace {

struct Limited {
	std::int64_t now_ms = 1000;
	LoginLimiter limiter{[this] { return now_ms; }};

	void fail_times(int count, const std::string &peer = "192.0.2.1", std::string_view token = "bad")
	{
		for (int i = 0; i < count; i++)
			limiter.failed(peer, token);
	}
	bool allows(const std::string &peer = "192.0.2.1", std::string_view token = "bad")
	{
		return limiter.allows(peer, token);
	}
};

std::string ttl_error(std::string_view text)
{
	const auto ttl = parse_ttl(text, 1'800'000'000);
	return ttl ? "" : ttl.error().what;
}

} // namespace

TEST_CASE("the twentieth failure within 60 s blocks for 120 s, and the count starts anew")
{
	Limited login;
	login.fail_times(19);
	CHECK(login.allows());
	login.fail_times(1);
	CHECK_FALSE(login.allows());
	login.now_ms += 119'999;
	CHECK_FALSE(login.allows());
	login.now_ms += 1;
	CHECK(login.allows());
	login.fail_times(19);
	CHECK(login.allows());
	login.fail_times(1);
	CHECK_FALSE(login.allows());
}

TEST_CASE("failures older than 60 s do not count")
{
	Limited login;
	login.fail_times(10);
	login.now_ms += 30'000;
	login.fail_times(9);
	login.now_ms += 30'000; // the first ten are too old now
	login.fail_times(10);
	CHECK(login.allows());
	login.fail_times(1);
	CHECK_FALSE(login.allows());
}

TEST_CASE("peers and tokens have buckets of their own, and success clears one")
{
	Limited login;
	login.fail_times(20);
	CHECK_FALSE(login.allows());
	CHECK(login.allows("192.0.2.2"));
	CHECK(login.allows("192.0.2.1", "other"));
	login.fail_times(19, "192.0.2.2");
	login.limiter.succeeded("192.0.2.2", "bad");
	login.fail_times(19, "192.0.2.2");
	CHECK(login.allows("192.0.2.2"));
}

TEST_CASE("the bucket that was seen longest ago makes room")
{
	Limited login;
	login.fail_times(20);
	for (std::size_t i = 1; i < LoginLimiter::bucket_limit_count; i++)
		login.fail_times(1, "198.51.100.1", std::to_string(i));
	CHECK_FALSE(login.allows()); // and with that it is seen
	login.fail_times(1, "198.51.100.1", "one more");
	CHECK_FALSE(login.allows());
	for (std::size_t i = 0; i < LoginLimiter::bucket_limit_count; i++)
		login.fail_times(1, "198.51.100.2", std::to_string(i));
	CHECK(login.allows());
}

TEST_CASE("a duration is digits and at most one unit, in any case; blank is 90 days")
{
	const struct {
		std::string_view text;
		std::int64_t seconds;
	} rows[] = {{"90", 90},    {"30s", 30}, {"15M", 900},    {"12h", 43'200},  {"7D", 604'800},
		    {" 5m ", 300}, {"007", 7},  {"", 7'776'000}, {"  ", 7'776'000}};
	for (const auto &row : rows) {
		CAPTURE(row.text);
		CHECK(parse_ttl(row.text, 1'800'000'000) == row.seconds);
	}
}

TEST_CASE("every other duration is refused with its message")
{
	for (const char *wrong : {"soon", "1h30m", "-5", "+5", "5 m", "1.5h", "d", "5w", "0x10", "5\xc3\xa9",
				  "9223372036854775808", "\xf0\x9f\x98\x80"}) {
		CAPTURE(wrong);
		CHECK(ttl_error(wrong) == std::string("invalid ttl duration: ") + wrong);
	}
	CHECK(ttl_error("0") == "ttl must be positive");
	CHECK(ttl_error("0d") == "ttl must be positive");
	CHECK(ttl_error("9223372036854775807d") == "ttl duration overflow");
	CHECK(ttl_error("9223372036854775807") == "ttl duration overflow");
	CHECK(ttl_error("251602300799") == "");
	CHECK(ttl_error("251602300800") == "ttl duration overflow"); // 10000-01-01
	CHECK(ttl_error(std::string(1000, 'x')) == "invalid ttl duration: 1000 characters");
}

TEST_CASE("a time is RFC 3339 in UTC, its fraction without trailing zeros")
{
	CHECK(format_time(0) == "1970-01-01T00:00:00Z");
	CHECK(format_time(1'800'000'000'000) == "2027-01-15T08:00:00Z");
	CHECK(format_time(1'800'000'000'120) == "2027-01-15T08:00:00.12Z");
	CHECK(format_time(1'800'000'000'007) == "2027-01-15T08:00:00.007Z");
	CHECK(format_time(-1) == "1969-12-31T23:59:59.999Z");
	CHECK(format_time(253'402'300'799'000) == "9999-12-31T23:59:59Z");
}
