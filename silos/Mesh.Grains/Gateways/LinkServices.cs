using Mesh.Core.Leases;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Gateways;

/// <summary>What the links of one gateway share.</summary>
internal sealed record LinkServices(
    GrainEngineOptions Options, GatewaySession Session, IGrainFactory Grains, TimeProvider Time, KeptDecisions Decisions, ILogger Logger);
