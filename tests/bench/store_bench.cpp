// How many durable writes per second the Store takes, beside one fdatasync of the same disk: store_bench
// [DIRECTORY].
//
// One line each: NAME VALUE UNIT. scripts/bench compares them in one run: absolute figures mean little.
#include "base/fd.h"
#include "state/state.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

using namespace neuwerk;

namespace {

using Seconds = std::chrono::duration<double>;

constexpr int rounds = 3; // interleaved; the median counts
constexpr Seconds round_duration{1.0};
constexpr std::size_t append_bytes = 4096 + 24; // a frame of SQLite's WAL

double median(std::vector<double> values)
{
	std::sort(values.begin(), values.end());
	return values[values.size() / 2];
}

// Appends of one WAL frame, each followed by fdatasync, per second.
double syncs_per_second(const std::string &directory)
{
	const std::string path = directory + "/appended";
	const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	const std::string frame(append_bytes, 'x');
	const auto start = std::chrono::steady_clock::now();
	int count = 0;
	while (std::chrono::steady_clock::now() - start < round_duration) {
		if (write(file.get(), frame.data(), frame.size()) < 0 || fdatasync(file.get()) != 0) {
			std::perror(path.c_str());
			std::exit(1);
		}
		count++;
	}
	return count / Seconds(std::chrono::steady_clock::now() - start).count();
}

// Writers that each wait for the acknowledgement before their next write of 100 bytes.
double writes_per_second(state::Store &store, int writers)
{
	const auto start = std::chrono::steady_clock::now();
	std::vector<int> counts(static_cast<std::size_t>(writers));
	std::vector<std::thread> threads;
	for (int writer = 0; writer < writers; writer++)
		threads.emplace_back([&store, &counts, writer, start] {
			int count = 0;
			const std::string value(100, 'v');
			for (; std::chrono::steady_clock::now() - start < round_duration; count++) {
				const std::string key = "bench/" + std::to_string(writer) + "/" +
							std::to_string(count % 1000);
				const auto written = store.write({.operations = {state::put(key, value)},
								  .actor = "bench",
								  .request_id = {}});
				if (!written) {
					std::fprintf(stderr, "%s\n", written.error().what.c_str());
					std::exit(1);
				}
			}
			counts[static_cast<std::size_t>(writer)] = count;
		});
	for (std::thread &thread : threads)
		thread.join();
	const double seconds = Seconds(std::chrono::steady_clock::now() - start).count();
	int sum = 0;
	for (const int count : counts)
		sum += count;
	return sum / seconds;
}

} // namespace

int main(int count, char **arguments)
{
	std::string directory = count > 1 ? arguments[1] : std::filesystem::temp_directory_path().string();
	directory += "/nw-bench-XXXXXX";
	if (!mkdtemp(directory.data())) {
		std::perror(directory.c_str());
		return 1;
	}
	auto store = state::Store::open({.directory = directory + "/store"});
	if (!store) {
		std::fprintf(stderr, "%s\n", store.error().what.c_str());
		return 1;
	}
	std::vector<double> syncs, alone, together;
	for (int round = 0; round < rounds; round++) {
		syncs.push_back(syncs_per_second(directory));
		alone.push_back(writes_per_second(**store, 1));
		together.push_back(writes_per_second(**store, 64));
	}
	std::printf("fdatasync_ms %.3f ms\n", 1000 / median(syncs));
	std::printf("store_writes_1 %.0f writes/s\n", median(alone));
	std::printf("store_writes_64 %.0f writes/s\n", median(together));
	std::printf("store_group_commit %.1f times\n", median(together) / median(alone));
	store->reset();
	std::filesystem::remove_all(directory);
}
