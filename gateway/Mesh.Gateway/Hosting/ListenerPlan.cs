using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Mesh.Core.HttpRouting;

namespace Mesh.Gateway.Hosting;

/// <summary>From listeners in the manifests to addresses of this process.</summary>
internal static class ListenerPlan
{
    private const int PrivilegedPorts = 1024;
    private const int PrivilegedShift = 8000;

    /// <summary>Addresses to open, ordered by port, the administrative one last.</summary>
    /// <exception cref="GatewayConfigurationException">An address cannot be read, or two listeners would share one.</exception>
    public static ImmutableArray<ListenerBinding> Create(GatewayOptions options, ImmutableArray<PortTable> tables)
    {
        var bindings = ImmutableArray.CreateBuilder<ListenerBinding>();
        foreach (var table in tables)
        {
            // As the Gateway API wants it: a listener without its certificate does not serve, the others do.
            if (table.IsTls && !table.Certificates.Any(options.Certificates.ContainsKey)) continue;
            bindings.Add(new ListenerBinding(table.Port, AddressFor(options, table.Port), table.IsTls, !table.IsTls && options.Http2Listeners.Contains(table.Port)));
        }

        if (!string.IsNullOrEmpty(options.AdminAddress))
        {
            bindings.Add(new ListenerBinding(0, Parse("Mesh:AdminAddress", options.AdminAddress, options)));
        }

        for (var i = 0; i < bindings.Count; i++)
        {
            // Requests are told apart by the port that they came in at.
            for (var j = 0; j < i; j++)
            {
                if (bindings[i].Address.Port != bindings[j].Address.Port) continue;
                throw new GatewayConfigurationException(
                    $"Two listeners would open port {bindings[i].Address.Port} of this process; give one of them another by Mesh:Listeners:<port>.");
            }
        }

        return bindings.DrainToImmutable();
    }

    private static IPEndPoint AddressFor(GatewayOptions options, int port)
    {
        if (options.Listeners.TryGetValue(port.ToString(CultureInfo.InvariantCulture), out var given))
        {
            return Parse($"Mesh:Listeners:{port}", given, options);
        }

        var own = port < PrivilegedPorts ? port + PrivilegedShift : port;
        return new IPEndPoint(ParseAddress("Mesh:BindAddress", options.BindAddress), own);
    }

    private static IPEndPoint Parse(string option, string text, GatewayOptions options)
    {
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0)
        {
            return new IPEndPoint(ParseAddress("Mesh:BindAddress", options.BindAddress), port);
        }

        if (IPEndPoint.TryParse(text, out var address) && address.Port > 0) return address;
        throw new GatewayConfigurationException($"{option} is '{text}'; expected a port or address:port, for example 127.0.0.1:8080.");
    }

    private static IPAddress ParseAddress(string option, string text) =>
        IPAddress.TryParse(text, out var address)
            ? address
            : throw new GatewayConfigurationException($"{option} is '{text}'; expected an IP address, for example 127.0.0.1 or 0.0.0.0.");
}
