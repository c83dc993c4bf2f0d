// Package plugin owns the catalogue of APISIX 3.18's plugins: their names, the
// order in which they run, what their configurations may look like, which of their
// fields are secret, and which of them protect something.
//
// It is pure: it runs no plugin and looks at no other object. A plugin whose schema
// is not written down in schemas/ accepts any object. Everything here is safe for
// concurrent use; what is returned must not be changed.
package plugin
