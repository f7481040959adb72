// Hands changes to those who watch their prefix.
#include "state/watchers.h"

#include <utility>

namespace neuwerk::state {

Store::Watch::Watch(std::string prefix, Watcher watcher) : registration_(std::make_shared<Registration>())
{
	registration_->prefix = std::move(prefix);
	registration_->watcher = std::move(watcher);
}

Store::Watch::~Watch()
{
	const std::lock_guard lock(registration_->calling);
	registration_->ended = true;
}

std::shared_ptr<Store::Watch> Watchers::add(std::string prefix, Watcher watcher)
{
	auto watch = std::make_shared<Store::Watch>(std::move(prefix), std::move(watcher));
	const std::lock_guard lock(mutex_);
	std::erase_if(registrations_, [](const auto &each) { return each.expired(); });
	registrations_.push_back(watch->registration_);
	return watch;
}

void Watchers::tell(const std::vector<Change> &changes)
{
	std::vector<std::shared_ptr<Store::Watch::Registration>> registrations;
	{
		const std::lock_guard lock(mutex_);
		for (const auto &each : registrations_)
			if (auto registration = each.lock())
				registrations.push_back(std::move(registration));
	}
	for (const auto &registration : registrations) {
		std::vector<Change> wanted;
		for (const Change &change : changes)
			if (change.key.starts_with(registration->prefix))
				wanted.push_back(change);
		const std::lock_guard lock(registration->calling);
		if (!wanted.empty() && !registration->ended)
			registration->watcher(wanted);
	}
}

} // namespace neuwerk::state
