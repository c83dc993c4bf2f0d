package apisix

// ServerName is the header Server of answers of the Admin API and of the gateway.
// It names the release of APISIX whose behaviour we have: clients such as ADC read
// the version from it.
const ServerName = "APISIX/3.18.0"
