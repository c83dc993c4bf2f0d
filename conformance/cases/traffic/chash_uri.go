package traffic

import (
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that hashes the query along with the path, or the connection
// instead of both.
var chashURI = chashCase(spec.Case{
	ID:    "CHASH-URI",
	Title: "With chash by the variable uri requests for the same path go to the same target, whatever their query, and paths spread.",
	Refs:  []string{"APISIX 3.18 upstream type chash, hash_on vars, nginx $uri"},
}, `"hash_on": "vars", "key": "uri"`, func(t *spec.T, i int) traffic.Request {
	return traffic.Request{Host: t.Host(), Target: "/" + userOf(i) + "?now=" + t.Env().Recorder().Now().String()}
})
