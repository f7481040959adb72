// Packets between text and bytes.
#include "packet_text.h"

#include "path/packet.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <sstream>

namespace neuwerk::packets {

namespace {

constexpr struct {
	const char *name;
	std::uint8_t bit;
} tcp_flag_names[] = {{"SYN", 0x02}, {"FIN", 0x01}, {"RST", 0x04},
		      {"PSH", 0x08}, {"ACK", 0x10}, {"URG", 0x20}};

std::string dotted(std::uint32_t address)
{
	std::string text;
	for (int shift = 24; shift >= 0; shift -= 8)
		text += std::to_string(address >> shift & 255) + (shift ? "." : "");
	return text;
}

Result<std::uint32_t> number(std::string_view text, std::uint32_t limit)
{
	std::uint32_t value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error != std::errc() || end != text.data() + text.size() || value > limit)
		return fail(ErrorKind::invalid_argument,
			    "not a number up to " + std::to_string(limit) + ": " + std::string(text));
	return value;
}

Result<std::uint32_t> address_of(std::string_view text)
{
	std::uint32_t address = 0;
	std::istringstream parts{std::string(text)};
	std::string part;
	int count = 0;
	while (std::getline(parts, part, '.')) {
		auto octet = number(part, 255);
		if (!octet)
			return octet;
		address = address << 8 | *octet;
		count++;
	}
	if (count != 4)
		return fail(ErrorKind::invalid_argument, "not an IPv4 address: " + std::string(text));
	return address;
}

Result<> read_end(std::string_view text, std::uint32_t &address, std::string &port)
{
	const auto colon = text.find(':');
	auto parsed = address_of(text.substr(0, colon));
	if (!parsed)
		return tl::unexpected(parsed.error());
	address = *parsed;
	if (colon != std::string_view::npos)
		port = text.substr(colon + 1);
	return {};
}

Result<> read_icmp(const std::string &word, PacketText &packet)
{
	if (word == "echo-request")
		packet.icmp_type = NW_ICMP_ECHO_REQUEST;
	else if (word == "echo-reply")
		packet.icmp_type = NW_ICMP_ECHO_REPLY;
	else {
		const auto slash = word.find('/');
		auto type = number(word.substr(0, slash), 255);
		auto code = number(slash == std::string::npos ? "x" : word.substr(slash + 1), 255);
		if (!type || !code)
			return fail(ErrorKind::invalid_argument, "not an ICMP type/code: " + word);
		packet.icmp_type = static_cast<std::uint8_t>(*type);
		packet.icmp_code = static_cast<std::uint8_t>(*code);
	}
	return {};
}

Result<> read_flags(const std::string &word, PacketText &packet)
{
	std::istringstream flags(word);
	std::string flag;
	while (std::getline(flags, flag, ',')) {
		const auto *known =
			std::ranges::find_if(tcp_flag_names, [&](auto &each) { return flag == each.name; });
		if (known == std::end(tcp_flag_names))
			return fail(ErrorKind::invalid_argument, "not a TCP flag: " + flag);
		packet.tcp_flags |= known->bit;
	}
	return {};
}

Result<> read_protocol(std::istringstream &words, PacketText &packet)
{
	std::string name, detail;
	words >> name;
	if (name == "udp") {
		packet.protocol = NW_PROTOCOL_UDP;
		return {};
	}
	words >> detail;
	if (name == "tcp") {
		packet.protocol = NW_PROTOCOL_TCP;
		return read_flags(detail, packet);
	}
	if (name == "icmp") {
		packet.protocol = NW_PROTOCOL_ICMP;
		return read_icmp(detail, packet);
	}
	auto protocol = number(detail, 255);
	if (name != "proto" || !protocol)
		return fail(ErrorKind::invalid_argument, "not a protocol: " + name + " " + detail);
	packet.protocol = static_cast<std::uint8_t>(*protocol);
	return {};
}

Result<> read_options(std::istringstream &words, PacketText &packet)
{
	std::string option, value;
	while (words >> option) {
		if (option == "fragment") {
			packet.is_fragment = true;
			continue;
		}
		if (option == "vlan") {
			packet.has_vlan = true;
			continue;
		}
		words >> value;
		if (option == "checksum" && value == "none") {
			packet.has_checksum = false;
			continue;
		}
		auto parsed = number(value, option == "ttl" ? 255 : 1472);
		if (!parsed || (option != "ttl" && option != "payload"))
			return fail(ErrorKind::invalid_argument, "not an option: " + option + " " + value);
		if (option == "ttl")
			packet.ttl = static_cast<std::uint8_t>(*parsed);
		else
			packet.payload_bytes = static_cast<std::uint16_t>(*parsed);
	}
	return {};
}

Result<std::uint16_t> port_of(const std::string &text, const Names &names)
{
	if (text.starts_with('$')) {
		const auto bound = names.find(text);
		if (bound == names.end())
			return fail(ErrorKind::invalid_argument, text + " is not bound yet");
		return bound->second;
	}
	auto parsed = number(text, 65535);
	if (!parsed)
		return tl::unexpected(parsed.error());
	return static_cast<std::uint16_t>(*parsed);
}

std::uint32_t sum_of(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0)
{
	for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
		sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
	if (bytes.size() & 1)
		sum += static_cast<std::uint32_t>(bytes.back() << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void put16(std::uint8_t *at, std::uint32_t value)
{
	at[0] = static_cast<std::uint8_t>(value >> 8);
	at[1] = static_cast<std::uint8_t>(value);
}

std::uint16_t get16(const std::uint8_t *at)
{
	return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

// Layer 4 with a checksum of zero; where the checksum goes is returned, 0 for none.
std::size_t layer4_of(const PacketText &packet, std::uint16_t source, std::uint16_t destination,
		      std::vector<std::uint8_t> &bytes)
{
	switch (packet.protocol) {
	case NW_PROTOCOL_TCP:
		bytes.resize(NW_TCP_MIN_BYTES);
		bytes[12] = 5 << 4;
		bytes[13] = packet.tcp_flags;
		break;
	case NW_PROTOCOL_UDP:
		bytes.resize(NW_UDP_BYTES);
		put16(&bytes[4], NW_UDP_BYTES + packet.payload_bytes);
		break;
	case NW_PROTOCOL_ICMP:
		bytes.resize(NW_ICMP_BYTES);
		bytes[0] = packet.icmp_type;
		bytes[1] = packet.icmp_code;
		put16(&bytes[4], packet.icmp_type == NW_ICMP_ECHO_REPLY ? destination : source);
		break;
	default:
		bytes.resize(4);
	}
	if (packet.protocol == NW_PROTOCOL_TCP || packet.protocol == NW_PROTOCOL_UDP) {
		put16(&bytes[0], source);
		put16(&bytes[2], destination);
	}
	for (std::size_t i = 0; i < packet.payload_bytes; i++)
		bytes.push_back(static_cast<std::uint8_t>(i * 7 + 1));
	return packet.protocol == NW_PROTOCOL_TCP    ? 16
	       : packet.protocol == NW_PROTOCOL_UDP  ? (packet.has_checksum ? 6 : 0)
	       : packet.protocol == NW_PROTOCOL_ICMP ? 2
						     : 0;
}

std::uint32_t pseudo_sum(const std::uint8_t *ip, std::size_t layer4_bytes)
{
	const std::uint8_t protocol = ip[9];
	if (protocol == NW_PROTOCOL_ICMP)
		return 0;
	return sum_of({ip + 12, 8}) + protocol + static_cast<std::uint32_t>(layer4_bytes);
}

std::string flags_of(std::uint8_t flags)
{
	std::string text;
	for (const auto &each : tcp_flag_names)
		if (flags & each.bit)
			text += (text.empty() ? "" : ",") + std::string(each.name);
	return text;
}

std::string line_from(const PacketText &packet, const std::string &source_port,
		      const std::string &destination_port)
{
	std::string line = dotted(packet.source);
	if (source_port != "0")
		line += ":" + source_port;
	line += " " + dotted(packet.destination);
	if (destination_port != "0")
		line += ":" + destination_port;
	if (packet.protocol == NW_PROTOCOL_TCP)
		line += " tcp " + flags_of(packet.tcp_flags);
	else if (packet.protocol == NW_PROTOCOL_UDP)
		line += " udp";
	else if (packet.protocol == NW_PROTOCOL_ICMP)
		line += " icmp " +
			(packet.icmp_type == NW_ICMP_ECHO_REQUEST ? "echo-request"
			 : packet.icmp_type == NW_ICMP_ECHO_REPLY
				 ? "echo-reply"
				 : std::to_string(packet.icmp_type) + "/" + std::to_string(packet.icmp_code));
	else
		line += " proto " + std::to_string(packet.protocol);
	if (packet.ttl != 64)
		line += " ttl " + std::to_string(packet.ttl);
	if (packet.payload_bytes)
		line += " payload " + std::to_string(packet.payload_bytes);
	if (!packet.has_checksum)
		line += " checksum none";
	return line;
}

// The fields of an IPv4 frame; ports as numbers.
PacketText fields_of(std::span<const std::uint8_t> frame)
{
	const std::uint8_t *ip = frame.data() + NW_ETHERNET_BYTES;
	const std::uint8_t *l4 = ip + NW_IPV4_MIN_BYTES;
	const std::size_t l4_bytes = get16(ip + 2) - std::size_t{NW_IPV4_MIN_BYTES};
	PacketText packet;
	packet.source = static_cast<std::uint32_t>(get16(ip + 12)) << 16 | get16(ip + 14);
	packet.destination = static_cast<std::uint32_t>(get16(ip + 16)) << 16 | get16(ip + 18);
	packet.ttl = ip[8];
	packet.protocol = ip[9];
	std::size_t header_bytes = 4;
	if (packet.protocol == NW_PROTOCOL_TCP || packet.protocol == NW_PROTOCOL_UDP) {
		packet.source_port = std::to_string(get16(l4));
		packet.destination_port = std::to_string(get16(l4 + 2));
		header_bytes = packet.protocol == NW_PROTOCOL_TCP ? 20 : 8;
		packet.tcp_flags = packet.protocol == NW_PROTOCOL_TCP ? l4[13] : 0;
		packet.has_checksum = packet.protocol == NW_PROTOCOL_TCP || get16(l4 + 6) != 0;
	} else if (packet.protocol == NW_PROTOCOL_ICMP) {
		packet.icmp_type = l4[0];
		packet.icmp_code = l4[1];
		(packet.icmp_type == NW_ICMP_ECHO_REPLY ? packet.destination_port : packet.source_port) =
			std::to_string(get16(l4 + 4));
		header_bytes = 8;
	}
	packet.payload_bytes = static_cast<std::uint16_t>(l4_bytes - header_bytes);
	return packet;
}

} // namespace

Result<PacketText> read_packet(std::string_view line)
{
	PacketText packet;
	std::istringstream words{std::string(line)};
	std::string source, destination;
	words >> source >> destination;
	for (auto outcome : {read_end(source, packet.source, packet.source_port),
			     read_end(destination, packet.destination, packet.destination_port),
			     read_protocol(words, packet), read_options(words, packet)})
		if (!outcome)
			return fail(ErrorKind::invalid_argument,
				    outcome.error().what + " in: " + std::string(line));
	return packet;
}

Result<std::vector<std::uint8_t>> frame_of(const PacketText &packet, const Names &names,
					   const Mac &destination, const Mac &source)
{
	auto source_port = port_of(packet.source_port, names);
	auto destination_port = port_of(packet.destination_port, names);
	if (!source_port || !destination_port)
		return tl::unexpected(!source_port ? source_port.error() : destination_port.error());
	std::vector<std::uint8_t> layer4;
	const std::size_t checksum_at = layer4_of(packet, *source_port, *destination_port, layer4);

	std::vector<std::uint8_t> frame(destination.begin(), destination.end());
	frame.insert(frame.end(), source.begin(), source.end());
	if (packet.has_vlan)
		frame.insert(frame.end(), {0x81, 0x00, 0x00, 0x05});
	frame.insert(frame.end(), {0x08, 0x00});
	std::uint8_t ip[NW_IPV4_MIN_BYTES] = {0x45};
	put16(&ip[2], static_cast<std::uint32_t>(sizeof(ip) + layer4.size()));
	put16(&ip[6], packet.is_fragment ? 0x2000 : 0x4000); // more fragments, or don't fragment
	ip[8] = packet.ttl;
	ip[9] = packet.protocol;
	put16(&ip[12], packet.source >> 16);
	put16(&ip[14], packet.source);
	put16(&ip[16], packet.destination >> 16);
	put16(&ip[18], packet.destination);
	put16(&ip[10], ~sum_of(ip));
	if (checksum_at) {
		const auto sum = static_cast<std::uint16_t>(~sum_of(layer4, pseudo_sum(ip, layer4.size())));
		put16(&layer4[checksum_at], packet.protocol == NW_PROTOCOL_UDP && sum == 0 ? 0xffff : sum);
	}
	frame.insert(frame.end(), std::begin(ip), std::end(ip));
	frame.insert(frame.end(), layer4.begin(), layer4.end());
	return frame;
}

std::string line_of(std::span<const std::uint8_t> frame)
{
	if (frame.size() < NW_ETHERNET_BYTES + NW_IPV4_MIN_BYTES + 8 ||
	    get16(&frame[12]) != NW_ETHERTYPE_IPV4)
		return "not IPv4, " + std::to_string(frame.size()) + " bytes";
	const PacketText packet = fields_of(frame);
	std::string line = line_from(packet, packet.source_port, packet.destination_port);
	const std::uint8_t *ip = frame.data() + NW_ETHERNET_BYTES;
	const std::size_t l4_bytes = get16(ip + 2) - std::size_t{NW_IPV4_MIN_BYTES};
	if (sum_of({ip, NW_IPV4_MIN_BYTES}) != 0xffff)
		line += " BAD IP CHECKSUM";
	if (packet.has_checksum &&
	    sum_of({ip + NW_IPV4_MIN_BYTES, l4_bytes}, pseudo_sum(ip, l4_bytes)) != 0xffff)
		line += " BAD CHECKSUM";
	return line;
}

std::string line_of(const PacketText &packet, const Names &names)
{
	const auto written = [&](const std::string &port) {
		const auto bound = names.find(port);
		return bound == names.end() ? port : std::to_string(bound->second);
	};
	return line_from(packet, written(packet.source_port), written(packet.destination_port));
}

void bind_names(const PacketText &packet, std::span<const std::uint8_t> frame, Names &names)
{
	if (frame.size() < NW_ETHERNET_BYTES + NW_IPV4_MIN_BYTES + 8)
		return;
	const PacketText seen = fields_of(frame);
	const auto bind = [&](const std::string &name, const std::string &port) {
		if (name.starts_with('$'))
			names.emplace(name, static_cast<std::uint16_t>(std::stoul(port)));
	};
	bind(packet.source_port, seen.source_port);
	bind(packet.destination_port, seen.destination_port);
}

} // namespace neuwerk::packets
