package vars

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/exchange"
)

// hostname is that of this machine; empty: it has none.
var hostname = sync.OnceValue(func() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
})

// rare is a variable that few conditions ask for.
func (v *Request) rare(name string) (string, bool) {
	r := &v.x.Request
	switch name {
	case "request_id", "apisix_request_id":
		return v.number(), true
	case "hostname":
		return hostname(), hostname() != ""
	case "server_name":
		return "_", true // that of the only server of APISIX
	case "pid":
		return strconv.Itoa(os.Getpid()), true
	case "binary_remote_addr":
		return string(r.Remote.Addr().Unmap().AsSlice()), r.Remote.IsValid()
	case "http2":
		switch {
		case r.Proto != exchange.HTTP2:
			return "", true
		case r.TLS == nil:
			return "h2c", true
		}
		return "h2", true
	}
	if part, ok := strings.CutPrefix(name, "ssl_client_"); ok && r.TLS != nil {
		return shown(r.TLS, part)
	}
	return "", false
}

// number is the request's own: 128 bits by chance, the same whenever it is asked for.
func (v *Request) number() string {
	if v.id == "" {
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:8], rand.Uint64())
		binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
		v.id = hex.EncodeToString(b[:])
	}
	return v.id
}

// shown is about the certificate of the client.
func shown(c *certs.Conn, part string) (value string, ok bool) {
	if part == "verify" {
		return c.Verified(), true
	}
	shown, _ := c.Shown()
	switch part {
	case "s_dn":
		value = shown.Subject
	case "i_dn":
		value = shown.Issuer
	case "serial":
		value = shown.Serial
	case "fingerprint":
		value = shown.Fingerprint
	case "v_start":
		value = shown.Begins
	case "v_end":
		value = shown.Ends
	}
	return value, value != ""
}
