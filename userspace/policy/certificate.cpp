// Checks trust anchors: the only file that sees OpenSSL.
#include "policy/certificate.h"

#include "base/text.h"
#include "policy/document.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace neuwerk::policy {

namespace {

template <auto free_function>
struct Free {
	template <typename T>
	void operator()(T *object) const
	{
		free_function(object);
	}
};

struct Block {
	char *label = nullptr;
	char *header = nullptr;
	unsigned char *bytes = nullptr;
	long byte_count = 0;

	Block() = default;
	Block(const Block &) = delete;
	Block &operator=(const Block &) = delete;
	~Block()
	{
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(bytes);
	}
};

std::string problem_of_block(const Block &block)
{
	if (std::string_view(block.label) != PEM_STRING_X509)
		return text("holds a PEM block ", quoted(block.label), ": only CERTIFICATE may stand here");
	const unsigned char *position = block.bytes;
	const std::unique_ptr<X509, Free<X509_free>> certificate(
		d2i_X509(nullptr, &position, block.byte_count));
	if (!certificate || position != block.bytes + block.byte_count)
		return "holds a CERTIFICATE block that is not an X.509 certificate";
	return {};
}

} // namespace

std::string problem_of_trust_anchor(std::string_view pem)
{
	const std::unique_ptr<BIO, Free<BIO_free>> bio(
		BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
	std::size_t certificates = 0;
	std::string problem;
	while (bio && problem.empty()) {
		Block block;
		if (!PEM_read_bio(bio.get(), &block.label, &block.header, &block.bytes, &block.byte_count)) {
			const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
			problem = is_end ? "" : "is not PEM: a block is damaged";
			break;
		}
		problem = problem_of_block(block);
		certificates++;
	}
	ERR_clear_error(); // the queue is the thread's; others read it too
	if (problem.empty() && certificates == 0)
		return "is not PEM: it holds no CERTIFICATE block";
	return problem;
}

} // namespace neuwerk::policy
