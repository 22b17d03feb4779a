using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>Listeners have names of their own and do not claim the same port with another protocol or the same host.</summary>
internal sealed class GatewayListeners : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var gateway in world.Effective<Gateway>())
        {
            if (gateway.Class is { } name && name.Value != Gateway.ClassName)
                report.Warning(
                    name.At, DiagnosticCodes.GatewayClass, $"The mesh serves gatewayClassName {name.Value} as {Gateway.ClassName}",
                    $"write {Gateway.ClassName}");
            for (var i = 0; i < gateway.Listeners.Length; i++)
            {
                for (var j = 0; j < i; j++) Compare(gateway.Listeners[j], gateway.Listeners[i], report);
            }
        }
    }

    private static void Compare(GatewayListener first, GatewayListener second, DiagnosticBag report)
    {
        if (first.Name.Value == second.Name.Value)
            report.Error(
                second.Name.At, DiagnosticCodes.DuplicateValue,
                $"Listener {second.Name.Value} is already defined in line {first.Name.At.Line}", "give each listener a name of its own");
        if (first.Port.Value != second.Port.Value) return;
        if (first.Protocol != second.Protocol)
            report.Error(
                second.Port.At, DiagnosticCodes.ListenerConflict,
                $"Port {second.Port.Value} is already used with another protocol by listener {first.Name.Value}", "use another port");
        else if (first.Hostname?.Value == second.Hostname?.Value)
            report.Error(
                second.Port.At, DiagnosticCodes.ListenerConflict,
                $"Listener {first.Name.Value} already has port {second.Port.Value} and the same host", "use another port or hostname");
    }
}
