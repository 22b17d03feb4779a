using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Mesh.Core.Routing;
using Mesh.Simulation.Fleets;

namespace Mesh.Simulation.Tests.World;

/// <summary>The same bytes on every machine: only +, −, ×, ÷ and the square root are exact everywhere, logarithms and their like are the library's.</summary>
public class PortableArithmeticTests
{
    private static readonly string[] Numbers = ["Math", "MathF", "Double", "Single", "Half"];

    private static readonly string[] Inexact =
    [
        "Log", "Log2", "Log10", "LogP1", "Log2P1", "Log10P1", "Exp", "Exp2", "Exp10", "ExpM1", "Pow", "Cbrt", "RootN", "Hypot", "Sin", "Cos", "Tan", "SinCos", "SinPi",
        "CosPi", "TanPi", "SinCosPi", "Asin", "Acos", "Atan", "Atan2", "AsinPi", "AcosPi", "AtanPi", "Atan2Pi", "Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh",
        "ReciprocalEstimate", "ReciprocalSqrtEstimate", "FusedMultiplyAdd", "MultiplyAddEstimate",
    ];

    [Theory]
    [InlineData(typeof(FleetWorld))]
    [InlineData(typeof(PoolState))]
    public void Assembly_Calls_NoInexactFunction(Type type) => Assert.DoesNotContain(Calls(type.Assembly.Location), c => Inexact.Contains(c.Method));

    [Fact]
    public void Calls_OfAnAssemblyWithSuchACall_FindsIt()
    {
        // This one, by the next line.
        Assert.NotEqual(0, Math.Log(Environment.ProcessorCount + 1));
        Assert.Contains(Calls(typeof(PortableArithmeticTests).Assembly.Location), c => c == ("Math", "Log"));
    }

    private static List<(string Type, string Method)> Calls(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var reader = file.GetMetadataReader();
        List<(string, string)> calls = [];
        foreach (var handle in reader.MemberReferences)
        {
            var member = reader.GetMemberReference(handle);
            if (member.Parent.Kind != HandleKind.TypeReference) continue;
            var type = reader.GetTypeReference((TypeReferenceHandle)member.Parent);
            var name = reader.GetString(type.Name);
            if (reader.GetString(type.Namespace) == "System" && Numbers.Contains(name)) calls.Add((name, reader.GetString(member.Name)));
        }

        return calls;
    }
}
