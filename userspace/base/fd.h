// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <utility>

namespace neuwerk {

class Fd {
public:
	Fd() = default;
	explicit Fd(int fd) : fd_(fd) {}
	Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Fd &operator=(Fd &&other) noexcept
	{
		if (this != &other) {
			reset();
			fd_ = std::exchange(other.fd_, -1);
		}
		return *this;
	}
	~Fd()
	{
		reset();
	}

	[[nodiscard]] int get() const
	{
		return fd_;
	}
	[[nodiscard]] explicit operator bool() const
	{
		return fd_ >= 0;
	}
	[[nodiscard]] int release()
	{
		return std::exchange(fd_, -1);
	}
	void reset()
	{
		if (fd_ >= 0)
			close(fd_);
		fd_ = -1;
	}

private:
	int fd_ = -1; // -1: none
};

} // namespace neuwerk
