package exchange

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
)

// hostname is that of this machine; empty: it has none.
var hostname = sync.OnceValue(func() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
})

// rareVar is a variable that few conditions ask for.
func (r *Request) rareVar(name string) (string, bool) {
	switch name {
	case "request_id", "apisix_request_id":
		return r.id(), true
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
		case r.Proto != HTTP2:
			return "", true
		case r.TLS == nil:
			return "h2c", true
		}
		return "h2", true
	}
	if part, ok := strings.CutPrefix(name, "ssl_client_"); ok && r.TLS != nil {
		return r.shownVar(part)
	}
	return "", false
}

// id is the number of the request: 128 bits by chance, the same whenever it is asked for.
func (r *Request) id() string {
	if r.number == "" {
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:8], rand.Uint64())
		binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
		r.number = hex.EncodeToString(b[:])
	}
	return r.number
}

// shownVar is about the certificate of the client.
func (r *Request) shownVar(part string) (value string, ok bool) {
	if part == "verify" {
		return r.TLS.Verified(), true
	}
	shown, _ := r.TLS.Shown()
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
