// CRC-32C over Boost.CRC.
#include "base/crc32c.h"

#include <boost/crc.hpp>

namespace neuwerk {

namespace {

using Sum = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

void add(Sum &sum, std::uint64_t number)
{
	unsigned char little_endian[8];
	for (int i = 0; i < 8; i++)
		little_endian[i] = static_cast<unsigned char>(number >> 8 * i);
	sum.process_bytes(little_endian, sizeof little_endian);
}

} // namespace

std::uint32_t crc32c_of_parts(std::initializer_list<std::string_view> parts,
			      std::initializer_list<std::uint64_t> numbers)
{
	Sum sum;
	for (const std::string_view part : parts) {
		add(sum, part.size());
		sum.process_bytes(part.data(), part.size());
	}
	for (const std::uint64_t number : numbers)
		add(sum, number);
	return sum.checksum();
}

std::uint32_t crc32c(std::string_view bytes)
{
	Sum sum;
	sum.process_bytes(bytes.data(), bytes.size());
	return sum.checksum();
}

} // namespace neuwerk
