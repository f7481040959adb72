// Reads the expectations that an author wrote beside the rules.
#include "policy/read.h"

#include "abi/flow.h"
#include "base/address.h"
#include "base/text.h"
#include "path/packet.h"

namespace neuwerk::policy {

namespace {

constexpr std::string_view code = "E_TEST";
constexpr std::size_t test_limit_count = 10'000;
constexpr std::uint32_t port_max = 65535;
constexpr std::uint32_t octet_max = 255;
constexpr std::uint32_t echo_request = 8;
constexpr std::uint32_t some_source_port = 49152; // the first of the dynamic ports, RFC 6335

std::uint32_t read_address(Reading &reading, Object &object, std::string_view key)
{
	const std::string_view word = trimmed(object.required_text(key));
	const auto address = parse_ipv4(word);
	if (!address)
		reading.fail(
			code, object.path(key),
			text(quoted(word),
			     " is not an IPv4 address; names cannot be tested: they are not enforced yet"));
	return address.value_or(0);
}

std::uint8_t read_protocol(Reading &reading, Object &object)
{
	const Node *node = object.find_required("proto");
	if (!node)
		return 0;
	const Path path = object.path("proto");
	if (node->kind == Node::Kind::integer)
		return static_cast<std::uint8_t>(as_number(reading, *node, path, octet_max));
	const std::string_view word = as_text(reading, *node, path);
	const auto protocol = parse_protocol(trimmed(word));
	if (!protocol)
		reading.fail(code, path,
			     text(quoted(word), " is not tcp, udp, icmp or a number from 0 to 255"));
	return protocol.value_or(0);
}

// Absent: nullopt.
std::optional<std::uint32_t> read_number(Reading &reading, Object &object, std::string_view key,
					 std::uint32_t max)
{
	const Node *node = object.find(key);
	if (!node)
		return std::nullopt;
	const Path path = object.path(key);
	if (node->kind != Node::Kind::text)
		return as_number(reading, *node, path, max);
	const auto number = parse_number(trimmed(node->text), max);
	if (!number)
		reading.fail(code, path, text(quoted(node->text), " is not a number from 0 to ", max));
	return static_cast<std::uint32_t>(number.value_or(0));
}

model::PolicyTest read_test(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::PolicyTest test{};
	test.name = object.optional_text("name").value_or("");
	test.source = read_address(reading, object, "from");
	test.destination = read_address(reading, object, "to");
	test.protocol = read_protocol(reading, object);
	const bool has_ports = test.protocol == NW_PROTOCOL_TCP || test.protocol == NW_PROTOCOL_UDP;
	const auto source_port = read_number(reading, object, "sport", port_max);
	const auto destination_port = read_number(reading, object, "dport", port_max);
	if (has_ports && !destination_port && !reading.failed())
		reading.fail(code, path, "dport is missing: which port does the packet go to?");
	test.source_port = static_cast<std::uint16_t>(source_port.value_or(some_source_port));
	test.destination_port = static_cast<std::uint16_t>(destination_port.value_or(0));
	test.icmp_type = static_cast<std::uint8_t>(
		read_number(reading, object, "icmp_type", octet_max).value_or(echo_request));
	test.icmp_code =
		static_cast<std::uint8_t>(read_number(reading, object, "icmp_code", octet_max).value_or(0));
	test.expect = read_action(reading, code, object.required_text("expect"), object.path("expect"));
	if (const auto rule = object.optional_text("rule"))
		test.rule = std::string(*rule);
	return test;
}

} // namespace

void read_tests(Reading &reading, Object &document, std::vector<model::PolicyTest> &out)
{
	document.each("tests", [&](const Node &item, const Path &path) {
		if (out.size() == test_limit_count)
			reading.fail(code, path, text("more than ", test_limit_count, " tests"));
		else
			out.push_back(read_test(reading, item, path));
	});
}

} // namespace neuwerk::policy
