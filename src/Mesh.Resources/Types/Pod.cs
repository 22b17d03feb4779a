using System.Collections.Immutable;
using System.Net;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>A model server's pod. Its address stands in <c>status.podIP</c>, where <c>kubectl get -o yaml</c> writes it.</summary>
internal sealed record Pod(ResourceHeader Header) : Resource(Header)
{
    public static KindDefinition Kind { get; } = new("Pod", ["v1"], Read) { IsCore = true };

    public Located<string>? Address { get; private init; }

    /// <summary><c>status.phase</c>; null where unset.</summary>
    public string? Phase { get; private init; }

    /// <summary>Named container ports; where a name stands twice, the first.</summary>
    public ImmutableSortedDictionary<string, int> NamedPorts { get; private init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>True for a pod that serves no more and is no endpoint.</summary>
    public bool IsGone => Header.IsBeingDeleted || Phase is "Succeeded" or "Failed";

    private static Pod Read(ResourceHeader header, ObjectReader root)
    {
        var ports = ImmutableSortedDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        root.Object("spec", spec =>
        {
            spec.List<object>("containers", c =>
            {
                c.List<object>("ports", p =>
                {
                    if (p.Int("containerPort", 1, 65535) is { } number && p.String("name") is { } name)
                        ports.TryAdd(name.Value, number.Value);
                    return null;
                });
                return null;
            });
            return spec;
        });
        string? phase = null;
        var address = root.Object("status", status =>
        {
            phase = status.String("phase")?.Value;
            var first = status.List("podIPs", ip => ip.String("ip", required: true)).FirstOrDefault();
            return Checked(status.String("podIP", allowEmpty: true) is { Value.Length: > 0 } ip ? ip : first, status.Report);
        });
        return new Pod(header) { Address = address, Phase = phase, NamedPorts = ports.ToImmutable() };
    }

    private static Located<string>? Checked(Located<string>? ip, DiagnosticBag report)
    {
        if (ip is null) return null;
        if (IpText.Normalize(ip.Value) is { } text) return ip with { Value = text };
        report.Error(ip.At, DiagnosticCodes.WrongFormat, $"{ip.At.Path} is {ip.Value}, which is no IP address");
        return null;
    }
}

/// <summary>IP addresses in their canonical text, IPv6 in brackets, so that two spellings of one address compare equal.</summary>
internal static class IpText
{
    public static string? Normalize(string text)
    {
        // Short forms such as 127.1 parse too, but are a slip in a manifest.
        if (!IPAddress.TryParse(text, out var ip) || ip.ToString() is var canonical && !text.Contains(':') && canonical != text)
            return null;
        return ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{canonical}]" : canonical;
    }
}
