package cases

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// secrets are what references stood for the last time.
type secrets struct {
	mu   sync.Mutex
	last map[string]string
}

// fetched is what a text stands for; empty: nobody knows. It asks whenever somebody
// needs it.
func (g *reference) fetched(text string) string {
	if ref, ok := strings.CutPrefix(text, "$env://"); ok {
		name, key, _ := strings.Cut(ref, "/")
		var members map[string]string
		switch {
		case name != spec.EnvName || g.is("reads no environment"):
			return ""
		case g.is("takes whole variables"):
			return spec.EnvPair
		case json.Unmarshal([]byte(spec.EnvPair), &members) != nil:
			return ""
		}
		return members[key]
	}
	ref, ok := strings.CutPrefix(text, "$secret://")
	if !ok {
		return text
	}
	s := &g.secrets
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = map[string]string{}
	}
	if v, ok := s.last[ref]; ok && g.is("keeps secrets for ever") {
		return v
	}
	if v := g.askVault(ref); v != "" || g.is("forgets what a sealed Vault kept") {
		s.last[ref] = v
	}
	return s.last[ref]
}

// asItStands is an object with what its references stood for the last time.
func (g *reference) asItStands(o object) object {
	g.secrets.mu.Lock()
	defer g.secrets.mu.Unlock()
	fixed := maps.Clone(o)
	for name, v := range o {
		if s, ok := v.(string); ok {
			if last, ok := g.secrets.last[strings.TrimPrefix(s, "$secret://")]; ok {
				fixed[name] = last
			}
		}
	}
	return fixed
}

// askVault asks for what stands behind $secret://.
func (g *reference) askVault(ref string) string {
	parts := strings.Split(ref, "/")
	last := len(parts) - 1
	g.mu.Lock()
	o := g.objects["secrets/"+parts[0]+"/"+parts[1]]
	g.mu.Unlock()
	if o == nil {
		return ""
	}
	text := func(name string) string { s, _ := o.value[name].(string); return s }
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, text("uri")+"/v1/"+text("prefix")+"/"+strings.Join(parts[2:last], "/"), nil)
	if err != nil {
		return ""
	}
	req.Header.Set("X-Vault-Token", text("token"))
	if !g.is("knows no namespaces") {
		req.Header.Set("X-Vault-Namespace", text("namespace"))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var body struct{ Data object }
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&body) != nil {
		return ""
	}
	if inner, ok := body.Data["data"].(object); ok && !g.is("knows one version of Vault") {
		body.Data = inner
	}
	v, _ := body.Data[parts[last]].(string)
	return v
}
