// neuwerkd over its control socket: one method per question. Errors are ready to be printed.
#pragma once

#include "base/result.h"
#include "neuwerk/v1/control.pb.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace neuwerk::cli {

class Client {
public:
	// Fails with unavailable, naming the socket, when there is none; with forbidden when it may not be
	// opened.
	[[nodiscard]] static Result<Client> connect(const std::string &socket);

	[[nodiscard]] Result<v1::NodeStatusReply> status();
	[[nodiscard]] Result<v1::PolicyReply> validate(const v1::PolicyDocument &document);
	[[nodiscard]] Result<v1::PolicyReply> apply(const v1::PolicyDocument &document);
	[[nodiscard]] Result<v1::PolicyDocument> policy();
	[[nodiscard]] Result<v1::CountersReply> counters();
	[[nodiscard]] Result<v1::ExplainReply> explain(const v1::ExplainRequest &request);

	// Both hand over one message after the other until `take` returns false.
	[[nodiscard]] Result<> flows(std::uint32_t limit, const std::function<bool(const v1::Flow &)> &take);
	// `subscribed` is called once, when no later event will be missed.
	[[nodiscard]] Result<> watch(const std::function<void()> &subscribed,
				     const std::function<bool(const v1::Event &)> &take);

	Client(Client &&) noexcept;
	~Client();

private:
	struct State;
	explicit Client(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::cli
