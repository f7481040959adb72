// A self-signed certificate for tests; its key was thrown away.
#pragma once

inline constexpr char sample_certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBbzCCARWgAwIBAgIUDRY6gL5Kp4sr+J4sWrG6ayZsZ9QwCgYIKoZIzj0EAwIw\n"
	"DDEKMAgGA1UEAwwBdDAgFw0yNjExMjExMzQxNDRaGA8yMTI2MTAyODEzNDE0NFow\n"
	"DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDSIl+Hxp1/d\n"
	"auN3tRPJh7g18c6/6WaApLVeJ0HKrFA1hIi6k0VaFUj8+wSSanyxVdMY25WOI7S3\n"
	"UXawfFWfw5KjUzBRMB0GA1UdDgQWBBQWwuCrXBwITWAi7tOPcM/5bmc5yjAfBgNV\n"
	"HSMEGDAWgBQWwuCrXBwITWAi7tOPcM/5bmc5yjAPBgNVHRMBAf8EBTADAQH/MAoG\n"
	"CCqGSM49BAMCA0gAMEUCIBuZ6TqkkpUOlSzm1LqQStrDAbQUAB206yhaIyoyD5Vi\n"
	"AiEA9Du7vO8ZsYbzH+3T8tp8hRPS3k+5CsZOHliQnrRqNGU=\n"
	"-----END CERTIFICATE-----\n";
