// The program neuwerkctl: gives the real world to run().
#include "nouns.h"

#include "base/error_codes.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <iterator>
#include <thread>

namespace {

using namespace neuwerk::cli;

bool write_to(std::FILE *file, std::string_view text)
{
	return std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
}

} // namespace

int main(int argc, char **argv)
{
	neuwerk::SystemFiles files;
	int write_fault = 0; // errno of the first output that was lost, as on a full disk
	World world{
		.variable = [](const char *name) -> std::optional<std::string> {
			const char *value = std::getenv(name);
			return value ? std::optional<std::string>(value) : std::nullopt;
		},
		.out =
			[&](std::string_view text) {
				if (!write_to(stdout, text) && write_fault == 0)
					write_fault = errno;
			},
		.error = [](std::string_view text) { (void)write_to(stderr, text); },
		.is_out_terminal = isatty(STDOUT_FILENO) != 0,
		.is_error_terminal = isatty(STDERR_FILENO) != 0,
		.standard_input = [] { return std::string(std::istreambuf_iterator<char>(std::cin), {}); },
		.now_s = [] { return static_cast<std::int64_t>(std::time(nullptr)); },
		.pause =
			[](std::chrono::seconds time) {
				std::this_thread::sleep_for(time);
				return true;
			},
		.connect = curl_transport,
		.files = &files,
	};
	const int exit_code = run({argv + 1, argv + argc}, world);
	if (exit_code != neuwerk::exit_ok || write_fault == 0)
		return exit_code;
	std::fprintf(stderr, "neuwerkctl: standard output: %s\n", std::strerror(write_fault));
	return neuwerk::exit_failed;
}
