package apisix

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/unilb/unilb/impl/apisix/schema"
)

// served are the kinds whose schemas the Admin API gives away, by the names that
// it calls them.
var served = map[string]bool{
	"route": true, "service": true, "upstream": true, "consumer": true, "credential": true, "ssl": true, "proto": true,
	"global_rule": true, "stream_route": true, "plugin_config": true, "consumer_group": true, "plugins": true,
}

// SchemaText returns the JSON schema of a kind such as route, complete in itself;
// false when there is none of that name. The text must not be changed.
func SchemaText(kind string) (json.RawMessage, bool) {
	if !served[kind] {
		return nil, false
	}
	return expanded()[kind], true
}

// expanded holds the texts of the schemas that are served.
var expanded = sync.OnceValue(func() map[string]json.RawMessage {
	texts := map[string]json.RawMessage{}
	for kind := range served {
		text, err := schema.Expand(documents()[kind], documents())
		if err != nil {
			panic(fmt.Sprintf("schema of %s: %v", kind, err)) // embedded: a test would have found it
		}
		texts[kind] = text
	}
	return texts
})

// CheckSchema reports what the schema of a kind says of a value as
// encoding/json decodes it with UseNumber, without looking at plugins or anything
// else that a schema cannot say. A kind without a schema takes any object.
func CheckSchema(kind string, v any) error {
	s, ok := schemas[kind]
	if !ok {
		s = anyObject
	}
	return s().Validate(v)
}

// CheckInteger reports what a schema says of a value that is no whole number.
func CheckInteger(v any) error { return wholeNumber().Validate(v) }

var wholeNumber = compiled("time")

// TypeName is the name of the type of a value as error messages have it.
func TypeName(v any) string { return schema.TypeName(v) }

// CheckConsumer is CheckRoute for consumers.
func (o *Object) CheckConsumer() error { return o.conforms("consumer") }

// CheckCredential is CheckRoute for credentials of consumers.
func (o *Object) CheckCredential() error { return o.conforms("credential") }

// CheckGlobalRule is CheckRoute for global rules.
func (o *Object) CheckGlobalRule() error { return o.conforms("global_rule") }

// CheckPluginConfig is CheckRoute for plugin configs.
func (o *Object) CheckPluginConfig() error { return o.conforms("plugin_config") }

// CheckConsumerGroup is CheckRoute for consumer groups.
func (o *Object) CheckConsumerGroup() error { return o.conforms("consumer_group") }

// CheckStreamRoute is CheckRoute for routes of connections.
func (o *Object) CheckStreamRoute() error {
	if err := o.conforms("stream_route"); err != nil {
		return err
	}
	return rule(checkInline(o.tree))
}

// CheckSecret checks the settings of a manager of secrets: vault, aws or gcp.
func (o *Object) CheckSecret(manager string) error {
	if !IsSecretManager(manager) {
		return fmt.Errorf("invalid secret manager: %s", manager)
	}
	return o.conforms("secret_" + manager)
}

// IsSecretManager tells whether there is a manager of secrets of that name.
func IsSecretManager(name string) bool {
	_, known := schemas["secret_"+name]
	return known
}

func (o *Object) conforms(kind string) error {
	if err := CheckSchema(kind, o.tree); err != nil {
		return fmt.Errorf("invalid configuration: %w", err)
	}
	return nil
}

// idPattern is what an id may be made of.
var idPattern = regexp.MustCompile(`^[a-zA-Z0-9-_.]+$`)

// CheckID reports whether text can be the id of an object, in the words of an
// object's schema.
func CheckID(text string) error {
	if len(text) > 64 || !idPattern.MatchString(text) {
		return errors.New(`invalid configuration: property "id" validation failed: object matches none of the required`)
	}
	return nil
}

// credentialsDir is between a consumer's name and the ids of its credentials.
const credentialsDir = "/credentials/"

// SplitCredential takes apart what follows the directory of consumers in the key of
// a credential; false when it is a consumer's.
func SplitCredential(tail string) (username, id string, ok bool) {
	return strings.Cut(tail, credentialsDir)
}

// CredentialTail is the reverse of SplitCredential.
func CredentialTail(username, id string) string { return username + credentialsDir + id }
