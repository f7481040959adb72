// A page of metrics that grows family by family.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neuwerk::daemon {

using Labels = std::vector<std::pair<std::string, std::string>>;

enum class MetricType { counter, gauge, histogram };

class MetricsPage {
public:
	MetricsPage();
	~MetricsPage();

	// What follows belongs to this family.
	void family(std::string_view name, MetricType type, std::string_view help);
	void add(double value, const Labels &labels = {});
	struct Bucket {
		double bound;
		std::uint64_t at_most; // cumulative
	};
	void add_histogram(const std::vector<Bucket> &buckets, std::uint64_t count, double sum,
			   const Labels &labels);

	// A family of one.
	void counter(std::string_view name, std::uint64_t value, std::string_view help);
	void gauge(std::string_view name, double value, std::string_view help, const Labels &labels = {});

	// Prometheus text format 0.0.4.
	[[nodiscard]] std::string text() const;

private:
	struct Families;
	std::unique_ptr<Families> families_;
};

} // namespace neuwerk::daemon
