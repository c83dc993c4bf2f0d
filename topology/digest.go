package topology

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Digest identifies what the plan builds: two plans that build the same lab, under
// whatever name, and only those, have the same digest. It is the SHA-256 of the
// plan's JSON without the lab's name, in hex; a plan that has been through JSON
// keeps it. Empty for a plan that JSON cannot express (a share that is not a
// number), which no file can cause.
func (p *Plan) Digest() string {
	nameless := *p
	nameless.Lab = ""
	b, err := json.Marshal(&nameless)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
