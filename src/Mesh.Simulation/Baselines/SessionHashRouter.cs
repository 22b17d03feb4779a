using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>The endpoint that a session's hash names: always the same one, whatever its load.</summary>
internal sealed class SessionHashRouter(ulong seed) : PickerRouter(seed)
{
    protected override int Pick(WorldRequest request) => (int)(BlockHash.Mix(request.Session ^ 0xA0761D6478BD642F) % (ulong)Host.Endpoints);
}
