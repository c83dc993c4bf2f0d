package spec

import _ "embed" // the pair

// EnvName is the variable of the environment with which a gateway is started that claims
// TLSSecrets. Its value is EnvPair.
const EnvName = "CONFORMANCE_PAIR"

// EnvPair is a JSON object with a certificate and its key: members cert and key, PEM. The
// key is no secret.
//
//go:embed envpair.json
var EnvPair string
