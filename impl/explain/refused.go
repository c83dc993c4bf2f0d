package explain

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/config"
)

// maxNamed bounds the refused certificates that a line names.
const maxNamed = 3

// refusedOf lists what was refused of some kinds: first what has no version in force.
func (e *account) refusedOf(kinds ...config.Kind) []Unusable {
	var out []Unusable
	for key, why := range e.src.Refused {
		rest, below := strings.CutPrefix(key, e.src.Prefix+"/")
		kind, id := config.Locate(rest)
		if below && slices.Contains(kinds, kind) {
			_, older := e.src.Snapshot.Stored(kind, id)
			out = append(out, Unusable{key, older, why})
		}
	}
	slices.SortFunc(out, func(a, b Unusable) int {
		switch {
		case a.Older == b.Older:
			return cmp.Compare(a.Key, b.Key)
		case b.Older:
			return -1
		}
		return 1
	})
	return out
}

// unusable lists the refused objects that the request may have been meant for. What an
// object names is told where it is missing.
func (e *account) unusable() {
	kinds := []config.Kind{config.Routes, config.GlobalRules}
	if e.a.TLS != nil {
		kinds = append(kinds, config.SSLs)
	}
	all := e.refusedOf(kinds...)
	e.a.Unusable = all[:min(len(all), e.most)]
	e.a.UnusableMore = len(all) - len(e.a.Unusable)
}

// refusedCertificates is the end of a line about a certificate that nobody has.
func (e *account) refusedCertificates() string {
	var text strings.Builder
	all := e.refusedOf(config.SSLs)
	for _, u := range all[:min(len(all), maxNamed)] {
		fmt.Fprintf(&text, "; %s was refused: %s", u.Key, u.Why)
	}
	if len(all) > maxNamed {
		fmt.Fprintf(&text, "; and %d more were refused", len(all)-maxNamed)
	}
	return text.String()
}

// missing is the text of an error of what a route needs: an object that is not there may
// have been refused.
func (e *account) missing(err error) string {
	var m *config.MissingError
	if !errors.As(err, &m) {
		return err.Error()
	}
	kind, named := map[config.Missing]config.Kind{
		config.MissingUpstream: config.Upstreams, config.MissingService: config.Services, config.MissingPluginConfig: config.PluginConfigs,
		config.MissingClientCert: config.SSLs, config.MissingConsumer: config.Consumers, config.MissingConsumerGroup: config.ConsumerGroups,
	}[m.What]
	if !named {
		return err.Error()
	}
	key := e.src.Prefix + "/" + kind.Directory() + "/" + m.ID
	if why := e.src.Refused[key]; why != "" {
		return fmt.Sprintf("%s was refused: %s", key, why)
	}
	return err.Error()
}
