namespace Mesh.Bench.Gateway;

/// <summary>Programs that measure a gateway beside other processes; see <c>results/gateway-floor.md</c> for how they are used.</summary>
internal static class GatewayCommands
{
    private const string Usage = "gateway backends";

    /// <summary>Runs one of them; exit code 2 when there is none of that name.</summary>
    public static Task<int> RunAsync(string[] args)
    {
        switch (args)
        {
            case ["backends"]:
                return Backends.RunAsync();
            default:
                Console.Error.WriteLine($"Usage: {Usage}");
                return Task.FromResult(2);
        }
    }
}
