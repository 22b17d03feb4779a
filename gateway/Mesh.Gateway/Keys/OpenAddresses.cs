using System.Collections.Immutable;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Keys;

/// <summary>The rule that nobody opens a gateway to others by accident.</summary>
internal static class OpenAddresses
{
    /// <summary>Checks addresses before they are opened.</summary>
    /// <exception cref="GatewayConfigurationException">Others can reach one, no key is configured, and nobody said that none is wanted; or keys are required and there are none.</exception>
    public static void Check(KeyOptions options, ImmutableArray<ListenerBinding> bindings)
    {
        if (options.AreConfigured || options.Mode == KeyMode.Off) return;
        if (options.Mode == KeyMode.Required)
        {
            throw new GatewayConfigurationException("Mesh:Keys:Mode is Required, but there are no keys. Name a file of them (Mesh:Keys:File), Mesh:Keys:Entries or Mesh:Keys:Jwt.");
        }

        foreach (var binding in bindings)
        {
            if (Loopback.Is(binding.Address.Address)) continue;
            throw new GatewayConfigurationException(
                $"{binding.Url} can be reached from other machines, but there are no keys. Name a file of keys, which mesh keys new makes (--Mesh:Keys:File=keys.json), "
                + "or say that everybody may use this gateway (--Mesh:Keys:Mode=Off).");
        }
    }
}
