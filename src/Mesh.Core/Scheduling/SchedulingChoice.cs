using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.Scheduling;

/// <summary>What a profile made of a request: an endpoint, or none and why.</summary>
/// <param name="Endpoint">The choice; null when a filter left nobody.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct SchedulingChoice(EndpointState? Endpoint, DecisionReason Reason);
