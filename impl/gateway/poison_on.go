//go:build poison

package gateway

// poison has the event loops overwrite what an exchange has given back, so that who uses
// it later is found out: go build -tags poison ./cmd/l7gw.
const poison = true
