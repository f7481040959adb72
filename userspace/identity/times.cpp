// Durations and times as the API writes them.
#include "identity/identity.h"

#include "base/address.h"
#include "base/text.h"
#include "identity/spelling.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace neuwerk::identity {

namespace {

constexpr std::int64_t last_second = 253'402'300'799; // 9999-12-31T23:59:59Z
constexpr std::size_t echo_limit_bytes = 64;

// 0: not a unit.
std::int64_t seconds_of_unit(char unit)
{
	switch (unit) {
	case 's':
	case 'S':
		return 1;
	case 'm':
	case 'M':
		return 60;
	case 'h':
	case 'H':
		return 3600;
	case 'd':
	case 'D':
		return 86'400;
	default:
		return 0;
	}
}

tl::unexpected<Error> invalid(std::string_view text)
{
	return fail(ErrorKind::invalid_argument,
		    text.size() > echo_limit_bytes
			    ? neuwerk::text("invalid ttl duration: ", text.size(), " characters")
			    : neuwerk::text("invalid ttl duration: ", text));
}

} // namespace

Result<std::int64_t> parse_ttl(std::string_view text, std::int64_t now_s)
{
	const std::string_view written = trimmed(text);
	if (written.empty())
		return default_ttl_s;
	const std::int64_t unit_s = seconds_of_unit(written.back());
	const std::string_view digits = unit_s == 0 ? written : written.substr(0, written.size() - 1);
	const auto count = parse_number(digits, INT64_MAX);
	if (!count)
		return invalid(written);
	if (*count == 0)
		return fail(ErrorKind::invalid_argument, "ttl must be positive");
	std::int64_t ttl_s = 0;
	if (__builtin_mul_overflow(static_cast<std::int64_t>(*count), unit_s == 0 ? 1 : unit_s, &ttl_s) ||
	    ttl_s > last_second - now_s)
		return fail(ErrorKind::invalid_argument, "ttl duration overflow");
	return ttl_s;
}

std::string format_time(std::int64_t unix_ms)
{
	std::int64_t unix_s = unix_ms / 1000;
	std::int64_t fraction_ms = unix_ms % 1000;
	if (fraction_ms < 0) {
		fraction_ms += 1000;
		unix_s--;
	}
	const std::time_t seconds = unix_s;
	std::tm utc{};
	gmtime_r(&seconds, &utc);
	std::array<char, 64> written;
	std::string out(written.data(),
			std::strftime(written.data(), written.size(), "%Y-%m-%dT%H:%M:%S", &utc));
	if (fraction_ms != 0) {
		const int count =
			std::snprintf(written.data(), written.size(), ".%03d", static_cast<int>(fraction_ms));
		out.append(written.data(), static_cast<std::size_t>(count));
		out.erase(out.find_last_not_of('0') + 1);
	}
	return out + "Z";
}

} // namespace neuwerk::identity
