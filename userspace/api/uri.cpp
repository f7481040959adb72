// Splitting and decoding of request targets.
#include "api/uri.h"

#include <array>

namespace neuwerk::api {

namespace {

// 0 to 15, or -1.
int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

std::string decode(std::string_view raw, bool plus_is_space)
{
	std::string out;
	out.reserve(raw.size());
	for (std::size_t i = 0; i < raw.size(); i++) {
		const int high = raw[i] == '%' && i + 2 < raw.size() ? hex_digit(raw[i + 1]) : -1;
		const int low = high >= 0 ? hex_digit(raw[i + 2]) : -1;
		if (low >= 0) {
			out += static_cast<char>(high * 16 + low);
			i += 2;
		} else {
			out += plus_is_space && raw[i] == '+' ? ' ' : raw[i];
		}
	}
	return out;
}

// The table of RFC 3629 §4: how long a sequence is, and what its second byte may be.
struct Lead {
	unsigned char first, last;
	int more; // bytes that follow
	unsigned char second_from, second_to;
};
constexpr std::array<Lead, 9> leads{{
	{0x00, 0x7f, 0, 0, 0},
	{0xc2, 0xdf, 1, 0x80, 0xbf},
	{0xe0, 0xe0, 2, 0xa0, 0xbf},
	{0xe1, 0xec, 2, 0x80, 0xbf},
	{0xed, 0xed, 2, 0x80, 0x9f},
	{0xee, 0xef, 2, 0x80, 0xbf},
	{0xf0, 0xf0, 3, 0x90, 0xbf},
	{0xf1, 0xf3, 3, 0x80, 0xbf},
	{0xf4, 0xf4, 3, 0x80, 0x8f},
}};

const Lead *lead_of(unsigned char byte)
{
	for (const Lead &lead : leads)
		if (byte >= lead.first && byte <= lead.last)
			return &lead;
	return nullptr;
}

} // namespace

std::optional<Target> split_target(std::string_view target)
{
	if (target.starts_with("http://") || target.starts_with("https://")) {
		const auto slash = target.find('/', target.find("//") + 2);
		target = slash == std::string_view::npos ? "/" : target.substr(slash);
	}
	if (target != "*" && !target.starts_with('/'))
		return std::nullopt;
	const auto mark = target.find('?');
	if (mark == std::string_view::npos)
		return Target{target, {}};
	return Target{target.substr(0, mark), target.substr(mark + 1)};
}

std::string decode_percent(std::string_view raw)
{
	return decode(raw, false);
}

std::string decode_form(std::string_view raw)
{
	return decode(raw, true);
}

bool is_utf8(std::string_view bytes)
{
	for (std::size_t i = 0; i < bytes.size(); i++) {
		const Lead *lead = lead_of(static_cast<unsigned char>(bytes[i]));
		if (!lead || i + static_cast<std::size_t>(lead->more) >= bytes.size())
			return false;
		for (int k = 0; k < lead->more; k++) {
			const auto byte = static_cast<unsigned char>(bytes[++i]);
			const unsigned char from = k == 0 ? lead->second_from : 0x80;
			const unsigned char to = k == 0 ? lead->second_to : 0xbf;
			if (byte < from || byte > to)
				return false;
		}
	}
	return true;
}

} // namespace neuwerk::api
