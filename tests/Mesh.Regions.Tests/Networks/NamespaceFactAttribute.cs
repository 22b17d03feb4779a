namespace Mesh.Regions.Tests.Networks;

/// <summary>A test over network namespaces: skipped where they may not be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NamespaceFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Reason = new(Find);

    /// <param name="isLong">True for a test that runs with <c>MESH_LONG=1</c> only.</param>
    public NamespaceFactAttribute(bool isLong = false)
    {
        if (Reason.Value is { } reason) Skip = reason;
        else if (isLong && Environment.GetEnvironmentVariable("MESH_LONG") != "1") Skip = "takes long: set MESH_LONG=1";
    }

    /// <summary>Why not; null where they may.</summary>
    public static string? WhyNot => Reason.Value;

    private static string? Find()
    {
        var name = $"mesh-try-{Environment.ProcessId}";
        try
        {
            TunDevice.Ip($"netns add {name}");
            try
            {
                using var device = new TunDevice($"mt{Environment.ProcessId % 100_000}");
                TunDevice.Ip($"link set {device.Name} netns {name}");
                return null;
            }
            finally
            {
                TunDevice.Ip($"netns del {name}");
            }
        }
        catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception or DllNotFoundException)
        {
            return $"needs network namespaces and /dev/net/tun (root or CAP_NET_ADMIN): {e.Message}";
        }
    }
}
