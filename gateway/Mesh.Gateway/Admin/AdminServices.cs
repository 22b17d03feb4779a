using System.Collections.Immutable;
using Mesh.Engine;
using Mesh.Gateway.Admin.History;
using Mesh.Gateway.Admin.Journal;
using Mesh.Gateway.Admin.Views;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Admin;

/// <summary>What the administrative API reads from.</summary>
/// <param name="Engine">Engine.</param>
/// <param name="Configuration">Configuration in force.</param>
/// <param name="Journal">What became of every edit.</param>
/// <param name="Reader">State of the mesh.</param>
/// <param name="History">The last quarter of an hour.</param>
/// <param name="Latencies">Times of the last minute.</param>
/// <param name="Readiness">Whether clients should be sent here.</param>
/// <param name="Links">Links to peer regions; none without any.</param>
/// <param name="OpenRequests">Inference requests under way.</param>
/// <param name="Errors">Answers that say why not.</param>
/// <param name="Time">Clock.</param>
internal sealed record AdminServices(
    IMeshEngine Engine, ActiveConfiguration Configuration, ConfigurationJournal Journal, MeshReader Reader, MeshHistory History, BackendLatencies Latencies,
    Readiness Readiness, Func<ImmutableArray<RegionLink>> Links, Func<int> OpenRequests, ErrorReporter Errors, TimeProvider Time);
