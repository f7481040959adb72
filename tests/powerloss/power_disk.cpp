// The disk that loses power: faults, survivors and names.
#include "powerloss/power_disk_vfs.h"

#include <algorithm>
#include <atomic>

namespace neuwerk::powerloss {

PowerDisk::PowerDisk(std::uint64_t seed) : random_(seed)
{
	static std::atomic<int> disks = 0;
	name_ = "power-disk-" + std::to_string(disks++);
	registration_ = std::make_unique<Registration>(*this);
}

PowerDisk::~PowerDisk() = default;

void PowerDisk::strike_after(std::uint64_t calls, Fault fault)
{
	const std::lock_guard lock(mutex_);
	strikes_in_ = calls;
	fault_ = fault;
	struck_ = false;
}

bool PowerDisk::has_struck() const
{
	const std::lock_guard lock(mutex_);
	return struck_;
}

void PowerDisk::stop()
{
	const std::lock_guard lock(mutex_);
	stopped_ = true;
}

// Called under the mutex.
PowerDisk::Outcome PowerDisk::before_change()
{
	if (stopped_)
		return Outcome::fails;
	if (!strikes_in_ || --*strikes_in_ != 0)
		return Outcome::fine;
	strikes_in_.reset();
	struck_ = true;
	if (fault_ == Fault::power_loss)
		stopped_ = true;
	return fault_ == Fault::disk_full ? Outcome::full : Outcome::fails;
}

void PowerDisk::restart_after_power_loss()
{
	const std::lock_guard lock(mutex_);
	std::map<std::string, std::shared_ptr<Inode>> names = durable_;
	for (const auto &[name, inode] : seen_) {
		const auto old = durable_.find(name);
		if ((old == durable_.end() || old->second != inode) && random_.chance(50))
			names[name] = inode;
	}
	for (const auto &[name, inode] : durable_)
		if (!seen_.contains(name) && random_.chance(50))
			names.erase(name);
	for (const auto &[name, inode] : names)
		inode->content.lose_unsynced(random_);
	seen_ = names;
	durable_ = names;
	restart();
}

void PowerDisk::restart_after_kill()
{
	const std::lock_guard lock(mutex_);
	restart();
}

void PowerDisk::restart()
{
	for (const auto &[name, inode] : seen_)
		inode->forget_process();
	boot_++;
	strikes_in_.reset();
	struck_ = stopped_ = false;
}

std::vector<std::string> PowerDisk::files() const
{
	const std::lock_guard lock(mutex_);
	std::vector<std::string> names;
	for (const auto &[name, inode] : seen_)
		names.push_back(name);
	return names;
}

PowerDisk::Image PowerDisk::image() const
{
	const std::lock_guard lock(mutex_);
	Image image;
	for (const auto &[name, inode] : seen_)
		image[name] = inode->content.seen();
	return image;
}

void PowerDisk::restore(const Image &image)
{
	const std::lock_guard lock(mutex_);
	seen_.clear();
	for (const auto &[name, content] : image) {
		seen_[name] = std::make_shared<Inode>();
		seen_[name]->content.replace(content);
	}
	durable_ = seen_;
	restart();
}

} // namespace neuwerk::powerloss
