// The page over prometheus-cpp, which only writes the text.
#include "daemon/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>

namespace neuwerk::daemon {

namespace {

prometheus::MetricType type_of(MetricType type)
{
	switch (type) {
	case MetricType::counter:
		return prometheus::MetricType::Counter;
	case MetricType::gauge:
		return prometheus::MetricType::Gauge;
	case MetricType::histogram:
		break;
	}
	return prometheus::MetricType::Histogram;
}

prometheus::ClientMetric labelled(const Labels &labels)
{
	prometheus::ClientMetric metric;
	for (const auto &[name, value] : labels)
		metric.label.push_back({name, value});
	return metric;
}

} // namespace

struct MetricsPage::Families {
	std::vector<prometheus::MetricFamily> list;
};

MetricsPage::MetricsPage() : families_(std::make_unique<Families>()) {}
MetricsPage::~MetricsPage() = default;

void MetricsPage::family(std::string_view name, MetricType type, std::string_view help)
{
	families_->list.push_back({std::string(name), std::string(help), type_of(type), {}});
}

void MetricsPage::add(double value, const Labels &labels)
{
	prometheus::MetricFamily &family = families_->list.back();
	prometheus::ClientMetric metric = labelled(labels);
	if (family.type == prometheus::MetricType::Counter)
		metric.counter.value = value;
	else
		metric.gauge.value = value;
	family.metric.push_back(std::move(metric));
}

void MetricsPage::add_histogram(const std::vector<Bucket> &buckets, std::uint64_t count, double sum,
				const Labels &labels)
{
	prometheus::ClientMetric metric = labelled(labels);
	metric.histogram.sample_count = count;
	metric.histogram.sample_sum = sum;
	for (const Bucket &bucket : buckets)
		metric.histogram.bucket.push_back({bucket.at_most, bucket.bound});
	metric.histogram.bucket.push_back({count, std::numeric_limits<double>::infinity()});
	families_->list.back().metric.push_back(std::move(metric));
}

void MetricsPage::counter(std::string_view name, std::uint64_t value, std::string_view help)
{
	family(name, MetricType::counter, help);
	add(static_cast<double>(value));
}

void MetricsPage::gauge(std::string_view name, double value, std::string_view help, const Labels &labels)
{
	family(name, MetricType::gauge, help);
	add(value, labels);
}

std::string MetricsPage::text() const
{
	return prometheus::TextSerializer().Serialize(families_->list);
}

} // namespace neuwerk::daemon
