package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The kinds of objects that there are, as the Admin API's paths name them.
const (
	Routes      = "routes"
	Services    = "services"
	Upstreams   = "upstreams"
	SSLs        = "ssls"
	GlobalRules = "global_rules"
)

// Kinds are all kinds.
func Kinds() []string { return []string{Routes, Services, Upstreams, SSLs, GlobalRules} }

// An Object is one Admin object as it was written.
type Object struct {
	Kind, ID string
	Body     []byte
	Created  int64 // revision of its first write: the order of objects that are equal otherwise
}

// NoWord says that the model cannot carry an object, although it may be a good
// one.
type NoWord struct {
	Object string // "routes/x"
	What   string
}

func (e *NoWord) Error() string {
	return fmt.Sprintf("%s: the model of dialect static has no word for %s", e.Object, e.What)
}

// Invalid says what is wrong with an object.
type Invalid struct {
	Object string
	What   string
}

func (e *Invalid) Error() string { return e.Object + ": " + e.What }

// about says what an object is, common to all kinds. None of it decides anything.
type about struct {
	ID         json.RawMessage `json:"id"`
	Name       string          `json:"name"`
	Desc       string          `json:"desc"`
	Labels     json.RawMessage `json:"labels"`
	CreateTime int64           `json:"create_time"`
	UpdateTime int64           `json:"update_time"`
}

type routeObject struct {
	about
	URI         string                     `json:"uri"`
	URIs        []string                   `json:"uris"`
	Host        string                     `json:"host"`
	Hosts       []string                   `json:"hosts"`
	Methods     []string                   `json:"methods"`
	Priority    int64                      `json:"priority"`
	Status      *int                       `json:"status"`
	RemoteAddr  string                     `json:"remote_addr"`
	RemoteAddrs []string                   `json:"remote_addrs"`
	Vars        json.RawMessage            `json:"vars"`
	Plugins     map[string]json.RawMessage `json:"plugins"`
	Upstream    *upstreamObject            `json:"upstream"`
	UpstreamID  id                         `json:"upstream_id"`
	ServiceID   id                         `json:"service_id"`
	Timeout     *timeoutObject             `json:"timeout"`
	Websocket   *bool                      `json:"enable_websocket"`
}

type serviceObject struct {
	about
	Hosts      []string                   `json:"hosts"`
	Plugins    map[string]json.RawMessage `json:"plugins"`
	Upstream   *upstreamObject            `json:"upstream"`
	UpstreamID id                         `json:"upstream_id"`
	Websocket  *bool                      `json:"enable_websocket"`
}

type sslObject struct {
	about
	Cert   string   `json:"cert"`
	Key    string   `json:"key"`
	Certs  []string `json:"certs"`
	Keys   []string `json:"keys"`
	SNI    string   `json:"sni"`
	SNIs   []string `json:"snis"`
	Status *int     `json:"status"`
	Type   string   `json:"type"`
}

type globalObject struct {
	about
	Plugins map[string]json.RawMessage `json:"plugins"`
}

// id is an object's id, which clients write as a text or as a number.
type id string

func (i *id) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err == nil && len(b) > 0 && b[0] != '"' {
		*i = id(n)
		return nil
	}
	return json.Unmarshal(b, (*string)(i))
}

// decode reads one object strictly. What it does not know is *NoWord, what it
// cannot read *Invalid.
func (o Object) decode(v any) error {
	name := o.Kind + "/" + o.ID
	d := json.NewDecoder(bytes.NewReader(o.Body))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		return nil
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &NoWord{Object: name, What: field}
	}
	var already *NoWord
	if errors.As(err, &already) {
		return &NoWord{Object: name, What: already.What}
	}
	return &Invalid{Object: name, What: err.Error()}
}

// Check says what is wrong with one object by itself: *Invalid or *NoWord.
func (o Object) Check() error {
	name := o.Kind + "/" + o.ID
	bad := func(format string, args ...any) error {
		return &Invalid{Object: name, What: fmt.Sprintf(format, args...)}
	}
	switch o.Kind {
	case Routes:
		var r routeObject
		if err := o.decode(&r); err != nil {
			return err
		}
		if len(r.paths()) == 0 {
			return bad("want uri or uris")
		}
		for _, p := range r.paths() {
			if _, err := parsePath(p); err != nil {
				return named(name, err)
			}
		}
		for _, h := range r.hosts() {
			if _, err := parseHost(h); err != nil {
				return named(name, err)
			}
		}
		return named(name, r.Upstream.check())
	case Services:
		var s serviceObject
		if err := o.decode(&s); err != nil {
			return err
		}
		return named(name, s.Upstream.check())
	case Upstreams:
		var u upstreamObject
		if err := o.decode(&u); err != nil {
			return err
		}
		return named(name, u.check())
	case SSLs:
		var s sslObject
		if err := o.decode(&s); err != nil {
			return err
		}
		return named(name, s.check())
	case GlobalRules:
		return o.decode(&globalObject{})
	}
	return bad("unknown kind %q; there are %s", o.Kind, strings.Join(Kinds(), ", "))
}

// named gives an error of a part the name of the object that it is a part of.
func named(object string, err error) error {
	var none *NoWord
	switch {
	case err == nil:
		return nil
	case errors.As(err, &none):
		return &NoWord{Object: object, What: none.What}
	}
	return &Invalid{Object: object, What: err.Error()}
}

// References are the objects that an object names, "upstreams/x". The object must
// be a good one.
func (o Object) References() []string {
	var refs struct {
		UpstreamID id `json:"upstream_id"`
		ServiceID  id `json:"service_id"`
	}
	_ = json.Unmarshal(o.Body, &refs) // whatever else is in it has been checked
	var out []string
	if refs.UpstreamID != "" {
		out = append(out, Upstreams+"/"+string(refs.UpstreamID))
	}
	if refs.ServiceID != "" {
		out = append(out, Services+"/"+string(refs.ServiceID))
	}
	return out
}

func (r *routeObject) paths() []string {
	if r.URI == "" || len(r.URIs) > 0 { // of both the list counts
		return r.URIs
	}
	return []string{r.URI}
}

func (r *routeObject) hosts() []string {
	if r.Host == "" || len(r.Hosts) > 0 {
		return r.Hosts
	}
	return []string{r.Host}
}

func (s *sslObject) check() error {
	if s.Type == "client" {
		return &NoWord{What: "client certificates (type client)"}
	}
	if len(s.names()) == 0 {
		return errors.New("want sni or snis")
	}
	if s.Cert == "" || s.Key == "" || len(s.Certs) != len(s.Keys) {
		return errors.New("want cert and key, and as many keys as certs")
	}
	return nil
}

func (s *sslObject) names() []string {
	var out []string
	for _, n := range append(slices.Clone(s.SNIs), s.SNI) {
		if n = strings.ToLower(n); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
