using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;

namespace Mesh.Engine.Monitoring;

/// <summary>Who wants to know what a monitor finds out. Called from any thread.</summary>
internal interface IEndpointObserver
{
    /// <summary>A probe has ended; tells what that did to the verdict.</summary>
    HealthTransition Probed(ProbeResult result);

    /// <summary>A sample has been read.</summary>
    void Sampled(EndpointSample sample);

    /// <summary>The endpoint has told its models.</summary>
    void Listed(EndpointId endpoint, ImmutableArray<string> models);
}
