package certs

import "crypto/tls"

// Protocol is the version of TLS in the words of OpenSSL, such as TLSv1.3; "": nobody says.
func (c *Conn) Protocol() string {
	switch c.version {
	case tls.VersionTLS10:
		return "TLSv1"
	case tls.VersionTLS11:
		return "TLSv1.1"
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return ""
}

// Cipher is the suite of ciphers in the words of OpenSSL, which has those of TLS 1.2 in
// other ones than their standards; "": nobody says.
func (c *Conn) Cipher() string {
	if c.version == 0 {
		return ""
	}
	if name, ok := suites[c.suite]; ok {
		return name
	}
	return tls.CipherSuiteName(c.suite)
}

// suites are those of TLS 1.2 that Go agrees on by itself.
var suites = map[uint16]string{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       "ECDHE-ECDSA-AES128-GCM-SHA256",
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       "ECDHE-ECDSA-AES256-GCM-SHA384",
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:          "ECDHE-ECDSA-AES128-SHA",
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA:          "ECDHE-ECDSA-AES256-SHA",
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:         "ECDHE-RSA-AES128-GCM-SHA256",
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:         "ECDHE-RSA-AES256-GCM-SHA384",
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:   "ECDHE-RSA-CHACHA20-POLY1305",
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:            "ECDHE-RSA-AES128-SHA",
	tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA:            "ECDHE-RSA-AES256-SHA",
}

// Reused is "r" for a session from before and "." for a new one; "": nobody says.
func (c *Conn) Reused() string {
	switch {
	case c.version == 0:
		return ""
	case c.resumed:
		return "r"
	}
	return "."
}
