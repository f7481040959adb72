// The checksum is the standard one, and parts do not run into each other.
#include "base/crc32c.h"

#include <doctest/doctest.h>

#include <string>

using namespace neuwerk;

TEST_CASE("CRC-32C gives the values of RFC 3720 appendix B.4")
{
	CHECK(crc32c("123456789") == 0xe3069283);
	CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
	CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("moving a byte from one part to the next changes the checksum")
{
	CHECK(crc32c_of_parts({"ab", "c"}, {}) != crc32c_of_parts({"a", "bc"}, {}));
	CHECK(crc32c_of_parts({"a"}, {1, 2}) != crc32c_of_parts({"a"}, {2, 1}));
}
