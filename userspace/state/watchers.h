// Who wants to hear about which changes.
#pragma once

#include "state/state.h"

#include <list>
#include <mutex>

namespace neuwerk::state {

// A registration; its end waits for a call that is under way (but not when it ends inside that call).
class Store::Watch {
public:
	Watch(std::string prefix, Watcher watcher);
	~Watch();
	Watch(const Watch &) = delete;
	Watch &operator=(const Watch &) = delete;

private:
	friend class Watchers;
	struct Registration {
		std::string prefix;
		Watcher watcher;
		std::recursive_mutex calling;
		bool ended = false;
	};
	std::shared_ptr<Registration> registration_;
};

class Watchers {
public:
	[[nodiscard]] std::shared_ptr<Store::Watch> add(std::string prefix, Watcher watcher);
	void tell(const std::vector<Change> &changes);

private:
	std::mutex mutex_; // over what follows
	std::vector<std::weak_ptr<Store::Watch::Registration>> registrations_;
};

} // namespace neuwerk::state
