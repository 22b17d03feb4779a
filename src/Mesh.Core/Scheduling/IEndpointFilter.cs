using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.Scheduling;

/// <summary>Says which candidates may take a request at all. Stateless; allocates nothing; costs some nanoseconds per candidate.</summary>
internal interface IEndpointFilter
{
    /// <summary>Name in profiles and explanations: lower case, words joined by hyphens.</summary>
    string Name { get; }

    /// <summary>Reason of the refusal when this filter leaves nobody.</summary>
    DecisionReason WhenEmpty { get; }

    /// <summary>Moves the candidates that pass to the front, in their order, and returns how many they are.</summary>
    int Filter(in SchedulingContext context, Span<EndpointState> candidates);
}
