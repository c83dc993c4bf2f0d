package apisix

// Release is the release of APISIX whose behaviour we have.
const Release = "3.18.0"

// ServerName is the header Server of answers of the Admin API and of the gateway.
// It names the release of APISIX whose behaviour we have: clients such as ADC read
// the version from it.
const ServerName = "APISIX/" + Release
