package cases

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
)

// allowed says which kinds have which methods.
func (g *reference) allowed(method, kind string) bool {
	if g.is("takes every method") {
		return true
	}
	switch kind {
	case "routes", "services", "upstreams", "ssls":
		return true
	case "consumers", "plugin_metadata":
		return false
	case "stream_routes", "protos":
		return method == "POST"
	}
	return method != "POST" && !strings.HasSuffix(kind, "/credentials")
}

// public is an object as answers have it.
func (g *reference) public(kind string, v object, keys bool) object {
	if kind != "ssls" || keys {
		return v
	}
	v = maps.Clone(v)
	delete(v, "key")
	if !g.is("forgets the list of keys") {
		delete(v, "keys")
	}
	return v
}

func (g *reference) wrongSSL(v object) string {
	cert, _ := v["cert"].(string)
	key, _ := v["key"].(string)
	certs, keys := texts(v, "cert", "certs"), texts(v, "key", "keys")
	if strings.HasPrefix(cert, "$") && strings.HasPrefix(key, "$") {
		return "" // it is to be fetched
	}
	b, _ := pem.Decode([]byte(cert))
	if b == nil {
		return "cert: no PEM"
	}
	if _, err := x509.ParseCertificate(b.Bytes); err != nil && !g.is("does not parse certificates") {
		return "failed to parse cert: " + err.Error()
	}
	b, _ = pem.Decode([]byte(key))
	if b == nil {
		return "key: no PEM"
	}
	if _, err := x509.ParsePKCS8PrivateKey(b.Bytes); err != nil && !g.is("does not parse keys") {
		return "failed to parse key: " + err.Error()
	}
	switch {
	case len(certs) != len(keys) && !g.is("pairs no certificates"):
		return "mismatched number of certs and keys"
	case v["snis"] == nil && v["sni"] == nil && v["type"] != "client" && !g.is("needs no names"):
		return "no sni"
	}
	return ""
}

// referenceSchemas are sketches of schemas.
var referenceSchemas = map[string][]string{
	"route":    {"uri", "host", "methods", "upstream_id", "plugins"},
	"service":  {"upstream_id", "plugins"},
	"upstream": {"nodes", "type", "checks"},
}

func (g *reference) schema(w http.ResponseWriter, r *http.Request, kind, sub string, body []byte) {
	if kind == "validate" {
		name := referenceKinds[sub]
		var v object
		_ = json.Unmarshal(body, &v)
		msg := g.breaks(sketches[name], v)
		if msg != "" && g.is("prefixes reasons") {
			msg = "invalid configuration: " + msg
		}
		if msg == "" && g.is("validates all of it") {
			msg = g.wrong(sub, "", body, v, nil)
		}
		switch {
		case name == "":
			reply(w, 404, object{"error_msg": "Unsupported resource type: " + sub})
		case msg != "" && !g.is("finds all valid"):
			reply(w, 400, object{"error_msg": msg})
		case g.is("validation stores"):
			g.put(w, r, sub, "", body)
		}
		return
	}
	fields := referenceSchemas[kind]
	if sketch := sketches[strings.ReplaceAll(kind, "_", " ")]; fields == nil && sketch != nil {
		s := maps.Clone(sketch)
		if g.is("its schema is open") {
			delete(s, "additionalProperties")
		}
		if properties, _ := s["properties"].(object); kind == "ssl" {
			properties["snis"] = object{}
		}
		reply(w, 200, s)
		return
	}
	if fields == nil {
		reply(w, 400, object{"error_msg": "not found schema: " + kind})
		return
	}
	properties := object{}
	for i, f := range fields {
		if i > 0 || !g.is("its schema lacks a field") {
			properties[f] = object{}
		}
	}
	reply(w, 200, object{"type": "object", "additionalProperties": g.is("its schema is open"), "properties": properties})
}
