package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// maxDigest bounds the digest that a client gives its configuration, in bytes.
const maxDigest = 1024

// maxAccepting bounds the configurations that are read and compared at once.
const maxAccepting = 4

// replacement is one PUT of a whole configuration over its tries.
type replacement struct {
	h       *Handler
	ctx     context.Context
	digest  string
	config  map[string]any
	checked map[string][]wanted // the sections that were looked at
	v       *validation
	lost    error // of a try that may have succeeded; nil: there was none
	force   bool  // objects that no configuration ever held may be replaced, too
}

// wanted is an object that the configuration holds.
type wanted struct {
	at    address
	value []byte // as it is stored
	index json.Number
}

// replaceConfigs makes the configuration that of the body. It answers when all of it is
// in etcd.
func (h *Handler) replaceConfigs(w http.ResponseWriter, r *http.Request) {
	digest := r.Header.Get(digestHeader)
	switch {
	case digest == "":
		bad("missing digest header").write(w)
		return
	case len(digest) > maxDigest:
		bad(fmt.Sprintf("invalid digest header: longer than %d bytes", maxDigest)).write(w)
		return
	}
	a, f := h.replaceWith(w, r, digest)
	if f != nil {
		if f.cause != nil {
			h.log.Error("configuration not replaced", obs.Op, r.Method, obs.Key, r.URL.Path, obs.Err, f.cause)
		}
		f.write(w)
		return
	}
	if now, accepted := a.body.(standing); accepted {
		now.headers(w.Header())
	}
	if a.outcome != nil { // else there is no body
		a.body = a.outcome
		a.write(w)
		return
	}
	if a.rev > 0 {
		w.Header().Set("X-Unilb-Revision", strconv.FormatInt(a.rev, 10))
	}
	w.WriteHeader(a.code)
}

// replaceWith replaces the configuration by that of the body, and waits until gateways
// serve it if the client asks to.
func (h *Handler) replaceWith(w http.ResponseWriter, r *http.Request, digest string) (*answer, *failure) {
	wait, f := waitFor(r)
	if f != nil {
		return nil, f
	}
	if wait > 0 {
		end, f := h.beginWait()
		if f != nil {
			return nil, f
		}
		defer end()
	}
	a, f := h.accept(w, r, digest)
	if f == nil && wait > 0 && a.rev > 0 {
		h.await(r.Context(), a, wait)
	}
	return a, f
}

// accept reads the configuration and replaces what there is by it. Few may do so at once:
// one takes some times its size of memory.
func (h *Handler) accept(w http.ResponseWriter, r *http.Request, digest string) (*answer, *failure) {
	select {
	case h.accepting <- struct{}{}:
		defer func() { <-h.accepting }()
	case <-r.Context().Done():
		return nil, lostRace()
	}
	config, f := readConfig(w, r, h.maxConfigs)
	if f != nil {
		return nil, f
	}
	if _, wrong := unknownSection(config); wrong != "" {
		return nil, bad(wrong)
	}
	p := &replacement{
		h: h, ctx: r.Context(), digest: digest, config: config, checked: map[string][]wanted{}, v: newValidation(h),
		force: arguments(r).Get("force") == "true",
	}
	return p.run()
}

// run replaces it. One at a time: what this replica left of one that was cut short is
// then its own.
func (p *replacement) run() (*answer, *failure) {
	patience := time.NewTimer(writePatience)
	defer patience.Stop()
	select {
	case p.h.replacing <- struct{}{}:
		defer func() { <-p.h.replacing }()
	case <-patience.C:
		return nil, lostRace()
	case <-p.ctx.Done():
		return nil, lostRace()
	}
	a, f := again(p.ctx, p.try)
	if f != nil && f.code == http.StatusServiceUnavailable && p.lost != nil {
		f = unavailable(p.lost) // whatever the last try has met: that one may still come
	}
	return a, f
}

// try reports retry when another replica replaces the configuration at this time, or
// somebody has written an object of it.
func (p *replacement) try() (a *answer, retry bool, f *failure) {
	now, at, rev, err := p.h.standing(p.ctx)
	if err != nil {
		return nil, false, unavailable(err)
	}
	if at.Mod > 0 && len(now.Open) == 0 && now.Digest == p.digest {
		if p.lost != nil {
			return &answer{code: http.StatusAccepted, body: now, rev: at.Mod}, false, nil
		}
		return &answer{code: http.StatusNoContent}, false, nil
	}
	next, replaced, f := p.plan(now)
	if f != nil {
		return nil, false, f
	}
	if at.Mod == 0 && !p.force {
		if f := p.h.unclaimed(p.ctx, rev); f != nil {
			return nil, false, f
		}
	}
	writer, _, _, err := p.h.st.Get(p.ctx, p.h.writerKey())
	switch {
	case err != nil:
		return nil, false, unavailable(err)
	case writer.Mod > 0 && string(writer.Value) != p.h.self:
		return nil, true, nil
	}
	batches, err := p.batches(replaced, rev)
	if err != nil {
		return nil, false, unavailable(err)
	}
	s := &steps{replacement: p, standing: at.Mod, writer: writer.Mod}
	did, err := s.run(now, next, replaced, batches)
	var conflict *store.ConflictError
	var away *store.UnavailableError
	switch {
	case errors.As(err, &conflict):
		return nil, true, nil
	case errors.As(err, &away) && away.Unknown && p.lost == nil:
		p.lost = err
		return nil, true, nil
	case err != nil:
		return nil, false, unavailable(err)
	}
	return &answer{code: http.StatusAccepted, body: next, rev: did, keys: putKeys(batches)}, false, nil
}

// plan applies the rules of versions: which configuration there is then, and which
// sections become those of the body. The others stay as they are.
func (p *replacement) plan(now standing) (next standing, replaced []string, f *failure) {
	next = standing{Digest: p.digest, Modified: p.h.now().Unix(), Versions: map[string]float64{}}
	for _, section := range sections {
		current := now.Versions[section]
		version, given, f := versionOf(section, p.config, current)
		if f != nil {
			return standing{}, nil, f
		}
		next.Versions[section] = version
		if given && version == current && !slices.Contains(now.Open, section) {
			continue
		}
		if f := p.check(section); f != nil {
			return standing{}, nil, f
		}
		replaced = append(replaced, section)
	}
	return next, replaced, nil
}

func versionOf(section string, config map[string]any, current float64) (version float64, given bool, f *failure) {
	v, given := config[section+"_conf_version"]
	if !given {
		return current + 1, false, nil
	}
	n, isNumber := v.(json.Number)
	version, err := n.Float64()
	if !isNumber || err != nil {
		return 0, true, bad(section + "_conf_version must be a number")
	}
	if version < current {
		text, _ := json.Marshal(current) // it came from JSON
		return 0, true, bad(fmt.Sprintf("%s_conf_version must be greater than or equal to (%s)", section, text))
	}
	return version, true, nil
}

// check looks at the objects of a section, once. The first that is wrong is told.
func (p *replacement) check(section string) *failure {
	if _, did := p.checked[section]; did {
		return nil
	}
	items, wrong := itemsOf(section, p.config)
	if wrong != "" {
		return bad(section + ": " + wrong)
	}
	all := make([]wanted, len(items))
	for i, item := range items {
		c := p.v.item(section, i, item)
		if len(c.wrong) > 0 {
			return bad(c.wrong[0])
		}
		value, err := p.stored(c)
		if err != nil {
			return bad("invalid configuration: " + err.Error())
		}
		all[i] = wanted{c.at, value, c.index}
	}
	p.checked[section] = all
	return nil
}

// stored is an object as etcd holds it. Ids in references are plain, as in those that
// are written one by one.
func (p *replacement) stored(c examined) ([]byte, error) {
	obj, f := plainReferences(c.at.res, c.obj)
	if f != nil {
		return nil, errors.New(f.message())
	}
	obj, err := p.h.sealed(c.at.res, obj)
	if err != nil {
		return nil, err
	}
	return obj.Encode(), nil
}

// Of replacements that take more than one transaction, only one may be under way.
// Who makes it holds a key that vanishes when it ends without a word.
const writerLife = time.Minute

func (h *Handler) writerKey() string { return h.notesDir() + "writer" }
