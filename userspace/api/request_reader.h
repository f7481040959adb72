// Bytes of a connection → requests, one after the other. The parser is Beast's; the limits are ours.
#pragma once

#include "api/router.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace neuwerk::api {

// Reads one request; for the next one, a new reader. What follows a request stays in the input.
class RequestReader {
public:
	enum class Step {
		more,   // all of the input is understood so far: bring more
		ready,  // the header, then the body, is complete
		failed, // see failure()
	};
	struct Failure {
		int status = 0; // 400, 413, 417, 431, 501
		std::string what;
	};

	explicit RequestReader(std::size_t header_limit_bytes);
	~RequestReader();

	// Takes from the front of `input` what it has read.
	[[nodiscard]] Step read_head(std::string &input);

	// After read_head was ready.
	[[nodiscard]] Head &head();
	[[nodiscard]] bool is_complete() const; // no body follows, or it was read
	[[nodiscard]] bool keep_alive() const;
	[[nodiscard]] bool is_http10() const;
	[[nodiscard]] bool expects_continue() const;
	[[nodiscard]] std::optional<std::uint64_t> content_length() const; // nullopt: none, or chunked

	// A body above the limit fails with 413. `keep`: whether it goes to head().request.body.
	void expect_body(std::size_t limit_bytes, bool keep);
	[[nodiscard]] Step read_body(std::string &input);

	[[nodiscard]] const Failure &failure() const;

private:
	class Parser;
	[[nodiscard]] Step read(std::string &input);
	std::unique_ptr<Parser> parser_;
	std::size_t header_limit_bytes_;
	std::size_t header_bytes_ = 0; // read so far
	std::size_t body_limit_bytes_ = 0;
	Failure failure_;
};

} // namespace neuwerk::api
