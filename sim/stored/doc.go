// Package stored owns the judgement of a store's content: that every object of the
// configuration is one that a data plane of APISIX 3.18 takes, by the closed schemas
// of its kinds. A data plane drops an object that is not, and says so only in its log.
//
// It is pure and reads no store. The schemas are those that the Admin API serves
// (tools/schemagen writes them down); that an object conforms is found out by a library
// of its own. What schemas cannot say is not looked at.
package stored
